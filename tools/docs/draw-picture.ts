// Draws docs/pictures from a running product: `npm start -- --lab balancers`, then `sh bin/node24 tools/docs/draw-picture.ts [DATA] [URL]` as root.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadBalancerPicture, recordLoadBalancer } from './pictures.ts';
import { placedAt } from './placed.ts';
import { renderPicture } from './render-picture.ts';

const root = join(import.meta.dirname, '../..');
const [data = '.tidegate', url = 'http://127.0.0.1:4000/graphql'] = process.argv.slice(2);
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());

const command = [process.execPath, join(root, 'bin/tidegate.ts')] as const;
const program = {
  command: [...command] as [string, string],
  place: placedAt(data, url),
  cwd: root,
  signal: ending.signal,
};
const { file, title } = loadBalancerPicture;
const recorded = await recordLoadBalancer(program, data);
await mkdir(join(root, 'docs/pictures'), { recursive: true });
await writeFile(join(root, 'docs/pictures', file), renderPicture(recorded, title));
console.log(`docs/pictures/${file}`);
