// Splits a HAProxy configuration into words by the rules of its manual (2.6, section 2.2), independently of the code that writes it.

/** The words of each line. Comments and empty lines have none. */
export function wordsOf(text: string): readonly (readonly string[])[] {
  return text.split('\n').map(wordsOfLine);
}

/** The patterns of an ACL's file (section 7.1, `-f`). */
export function patternsOf(text: string): readonly string[] {
  return text
    .split(/[\r\n]+/)
    .map((line) => (line.startsWith('#') ? '' : line.replace(/^[ \t]+/, '')))
    .filter((line) => line !== '');
}

function wordsOfLine(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (char === ' ' || char === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '#') break;
    else if (char === "'") {
      const end = line.indexOf("'", at + 1);
      if (end < 0) throw new Error('a quote is not closed');
      word = `${word ?? ''}${line.slice(at + 1, end)}`;
      at = end;
    } else if (char === '"' || char === '$') throw new Error(`${char} outside of strong quotes`);
    else if (char === '\\') {
      at += 1;
      word = `${word ?? ''}${line[at] ?? ''}`;
    } else word = `${word ?? ''}${char}`;
  }
  return word === undefined ? words : [...words, word];
}
