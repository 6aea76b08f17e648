// Lists of VLANs in the switch's format: `10`, `1-4`, `2-4, 10`.

const lowestVlan = 1;
export const highestVlan = 4_094;

/** `10`, `10-12`, and several separated by commas. Undefined if it is not a valid list. */
export function parseVlans(text: string): readonly number[] | undefined {
  const vlans: number[] = [];
  for (const part of text.split(',')) {
    const range = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim());
    if (!range) return undefined;
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    if (from < lowestVlan || to > highestVlan || from > to) return undefined;
    for (let vlan = from; vlan <= to; vlan += 1) vlans.push(vlan);
  }
  return vlans;
}

/** Consecutive VLANs become ranges (ansible/ansible issue 46468 shows `2-4`). */
export function formatVlans(vlans: Iterable<number>): string {
  const sorted = [...vlans].sort((a, b) => a - b);
  const ranges: string[] = [];
  for (let from = 0, to = 0; from < sorted.length; from = to + 1) {
    for (to = from; sorted[to + 1] === (sorted[to] ?? 0) + 1; ) to += 1;
    ranges.push(from === to ? `${sorted[from]}` : `${sorted[from]}-${sorted[to]}`);
  }
  return ranges.join(', ');
}
