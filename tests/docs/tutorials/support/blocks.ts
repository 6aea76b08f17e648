// The blocks of a page of Markdown, and their output.

export interface Block {
  readonly language: string;
  readonly text: string;
  /** The last heading before it. */
  readonly heading: string;
  /** The paragraph before it. */
  readonly before: string;
}

export function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: text = '', index }) => {
    const above = page.slice(0, index);
    return {
      ...{ language, text },
      heading: [...above.matchAll(/^#+ (.*)$/gm)].at(-1)?.[1] ?? '',
      before: above.trimEnd().split('\n\n').at(-1) ?? '',
    };
  });
}

interface Step {
  readonly command: string;
  readonly output: string;
}

/** The output of a block in which commands begin with `$ `. */
export function consoleSteps(text: string): readonly Step[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return { command: part.slice(0, end), output: part.slice(end + 1) };
    });
}

/** Makes lines equal whose times, IDs, numbers and sites differ at each run. */
export function shapeOf(text: string): readonly string[] {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b[0-9a-f]{16,}\b/g, 'HASH')
    .replaceAll(/\d+/g, 'N')
    .replaceAll(/\b(?:eu|us|ap)\b/g, 'SITE')
    .replaceAll(/ +/g, ' ')
    .trim()
    .split('\n');
}
