// A line of the command line, cut into words, and words held against what a command is made of. Keywords may be shortened, as
// on the device; where a short one could be two, the first command that fits is taken.

/** Double quotes make one word of several, a backslash takes the next character as it is; undefined: a quote is left open. */
export function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quoted = false;
  for (let position = 0; position < line.length; position += 1) {
    const character = line[position] ?? '';
    if (character === '\\') {
      position += 1;
      word = (word ?? '') + (line[position] ?? '');
    } else if (character === '"') {
      quoted = !quoted;
      word ??= '';
    } else if (/\s/.test(character) && !quoted) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quoted) return undefined;
  return word === undefined ? words : [...words, word];
}

/**
 * The values of a pattern's capital words (`VLAN`, `NAME`), in order; undefined when the words are other ones. A pattern's
 * small words are keywords.
 */
export function match(words: readonly string[], pattern: string): readonly string[] | undefined {
  const parts = pattern.split(' ');
  if (parts.length !== words.length) return undefined;
  const values: string[] = [];
  for (const [index, part] of parts.entries()) {
    const word = words[index] ?? '';
    if (/^[A-Z]/.test(part)) values.push(word);
    else if (!isKeyword(word, part)) return undefined;
  }
  return values;
}

export function isKeyword(word: string, keyword: string): boolean {
  return word !== '' && keyword.startsWith(word);
}
