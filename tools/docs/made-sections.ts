// A made section of a page stands between two comments; the rest is written by hand.

/** `page`: for the message. Throws if the page has no such section. */
export function withMade(text: string, section: string, made: string, page: string): string {
  const [begin, end] = [`<!-- ${section}:begin -->`, `<!-- ${section}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} lacks ${begin} … ${end}`);
  return `${text.slice(0, from)}${begin}\n${made}\n${text.slice(to)}`;
}
