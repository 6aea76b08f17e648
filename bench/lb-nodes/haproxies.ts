// The HAProxy processes of a folder's nodes: masters and workers.
import { readdir, readFile } from 'node:fs/promises';

export async function haproxiesOf(folder: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const words = (await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words[0]?.endsWith('haproxy') === true && words.some((word) => word.startsWith(`${folder}/`)))
      found.push(Number(entry));
  }
  return found;
}
