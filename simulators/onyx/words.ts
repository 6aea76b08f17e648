// Splits a line of the command line into words, and matches them against the pattern of a command. Keywords may be abbreviated,
// as on the device; the first matching command is used for an ambiguous one.

/** Double quotes group words, a backslash takes the next character literally. Undefined if a quote is not closed. */
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
 * The values of a pattern's upper-case words (`VLAN`, `NAME`), in order. Undefined if the words do not match. Lower-case words are
 * keywords.
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
