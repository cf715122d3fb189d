/**
 * Ids of tool calls within a session. An editor knows a call by its id for good, while some servers count their calls
 * anew in every response: the second use of an id gets another one.
 */
export class ToolIds {
  readonly #uses = new Map<string, number>();
  readonly #current = new Map<string, string>();

  /** The editor's id of a call that begins. */
  begin(callId: string): string {
    const uses = (this.#uses.get(callId) ?? 0) + 1;
    this.#uses.set(callId, uses);
    const id = uses === 1 ? callId : `${callId}#${uses}`;
    this.#current.set(callId, id);
    return id;
  }

  /** The editor's id of the call that began last under this id. */
  of(callId: string): string {
    return this.#current.get(callId) ?? callId;
  }
}
