// Words of the command line, with the options that select the product: its data folder and its endpoint.
import { resolve } from 'node:path';

/** Words after `--` belong to another program. `url`: with its path. */
export function placedAt(data: string, url: string): (words: readonly string[]) => readonly string[] {
  return (words) => {
    const end = words.includes('--') ? words.indexOf('--') : words.length;
    const options = ['--data', resolve(data), ...(words[0] === 'lab' ? [] : ['--url', url])];
    return [...words.slice(0, end), ...options, ...words.slice(end)];
  };
}
