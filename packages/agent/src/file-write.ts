/** What a name in a folder stands for. */
export type Entry =
  | {
      readonly type: 'file';
      /** With its byte order mark, if it has one. */
      readonly text: string;
      /** Absent: of a new file, as the system makes it. */
      readonly mode?: number;
    }
  | { readonly type: 'link'; readonly target: string };

/** What one name becomes. */
export interface FileWrite {
  /** Absolute; the links of its folder are resolved. A link at the name itself is not followed. */
  readonly path: string;
  /** What stands there now; `null`: nothing. */
  readonly before: Entry | null;
  /** What will stand there; `null`: nothing. */
  readonly after: Entry | null;
}
