// Relative links of a Markdown page, and the anchors that GitHub creates for its headings.

/** Without code, in which brackets are not links and `#` is not a heading. */
function withoutCode(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
}

/** Targets of the page's links, except those that lead to other hosts. */
export function relativeLinks(text: string): readonly string[] {
  const targets = [
    ...withoutCode(text)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ];
  return targets.map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target));
}

/** GitHub's rule: lower case, spaces become hyphens, other punctuation is removed, and a repeated heading gets a number. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = [...withoutCode(text).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = '']) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
  return new Set(anchors);
}
