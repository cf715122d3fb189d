/** One import: paths from the root of the repository, with slashes. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/**
 * Circles between what stands side by side in a folder, be it a file or a folder: `turn -> thread -> turn`. An import
 * counts where the two paths part, so a folder may use a file that stands beside it, as long as that one does not lead
 * back. One line for each circle. (The `folder` scope of dependency-cruiser sees circles of folders alone.)
 */
export function folderCycles(imports: readonly Import[]): readonly string[] {
  const folders = new Map<string, Map<string, Set<string>>>();
  for (const { from, to } of imports) {
    const { folder, one, other } = parting(from, to);
    const arrows = folders.get(folder) ?? new Map<string, Set<string>>();
    folders.set(folder, arrows.set(one, (arrows.get(one) ?? new Set()).add(other)));
  }
  return [...folders].flatMap(([folder, arrows]) => circlesIn(arrows).map((way) => `${folder}: ${way.join(' -> ')}`));
}

function parting(from: string, to: string): { folder: string; one: string; other: string } {
  const [ones, others] = [from.split('/'), to.split('/')];
  const at = ones.findIndex((part, index) => part !== others[index]);
  return { folder: ones.slice(0, at).join('/'), one: ones[at] ?? '', other: others[at] ?? '' };
}

/** Walks each way once: a step back onto the way that is being walked closes a circle. */
function circlesIn(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const circles: string[][] = [];
  const walked = new Set<string>();
  const walk = (name: string, way: readonly string[]): void => {
    if (way.includes(name)) {
      circles.push([...way.slice(way.indexOf(name)), name]);
      return;
    }
    if (walked.has(name)) return;
    walked.add(name);
    for (const next of arrows.get(name) ?? []) walk(next, [...way, name]);
  };
  for (const name of arrows.keys()) walk(name, []);
  return circles;
}
