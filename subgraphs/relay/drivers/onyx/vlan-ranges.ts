// Lists of VLANs, between numbers and the switch's text: `2-4, 10`.

const highest = 4_094;

/** Ranges, such as `2-4` and `10`. */
export function vlanRanges(vlans: readonly number[]): readonly string[] {
  const sorted = [...vlans].sort((a, b) => a - b);
  const runs: { from: number; to: number }[] = [];
  for (const vlan of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && vlan === last.to + 1) last.to = vlan;
    else runs.push({ from: vlan, to: vlan });
  }
  return runs.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
}

/** Undefined if the text is not such a list. An empty text is an empty list. */
export function vlansIn(text: string): readonly number[] | undefined {
  const vlans: number[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const range = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    const [from, to] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    if (!(from >= 1 && from <= to && to <= highest)) return undefined;
    for (let vlan = from; vlan <= to; vlan += 1) vlans.push(vlan);
  }
  return vlans;
}
