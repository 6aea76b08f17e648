// The desired settings of a mapping, as one object.

export type WantedSettings = readonly { readonly name: string; readonly value: string | null }[] | null;

/** Lists, objects and numbers are shown as JSON. */
export function settingsOf(settings: WantedSettings | undefined): Record<string, unknown> {
  const parsed = (value: string | null): unknown =>
    value !== null && /^([[{]|\d+$|true$|false$)/.test(value) ? JSON.parse(value) : value;
  return Object.fromEntries((settings ?? []).map(({ name, value }) => [name, parsed(value)]));
}
