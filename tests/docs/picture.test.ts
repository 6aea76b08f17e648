// The animated picture in README: drawn by the tool from its recording, of the commands that are recorded, and with nothing from elsewhere.
// tests/main-jobs/picture.test.ts records it again beside the product; command-lines.test.ts checks the commands of pages.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { nouns } from '../../cli/table.ts';
import { dashboardPicture, loadBalancerPicture } from '../../tools/docs/pictures.ts';
import { commandOf, recordingIn, renderPicture } from '../../tools/docs/render-picture.ts';

const root = join(import.meta.dirname, '../..');
const { file, title, steps } = loadBalancerPicture;
const svg = await readFile(join(root, 'docs/pictures', file), 'utf8');
const recording = recordingIn(svg);

test('it is exactly what the tool draws from its recording', () => {
  expect(svg).toBe(renderPicture(recording, title));
});

test('it shows the commands that are recorded, each with its output', async () => {
  expect(recording.map(({ words }) => words)).toEqual(steps.map(({ words }) => words));
  for (const step of recording) {
    const [noun = '', verb = ''] = step.words;
    expect([commandOf(step), Object.keys((await nouns[noun]?.load()) ?? {})]).toEqual([
      commandOf(step),
      expect.arrayContaining([verb]),
    ]);
    expect([commandOf(step), step.lines.length > 0]).toEqual([commandOf(step), true]);
    for (const { text } of step.lines.slice(0, 1)) expect(svg).toContain(text.slice(0, 40).replaceAll('<', '&lt;'));
  }
});

test('README shows it', async () => {
  expect(await readFile(join(root, 'README.md'), 'utf8')).toContain(`](docs/pictures/${file})`);
});

test('it loads and runs nothing else', () => {
  expect(svg).not.toMatch(/<script|<image|<use|<foreignObject|@import|url\(|href=|\bon\w+=/i);
  expect(svg.length).toBeLessThan(100_000);
});

test('without motion it shows its end', () => {
  expect(svg).toContain('@media (prefers-reduced-motion:reduce)');
});

describe('the picture of the dashboard', () => {
  const { files, size, mostBytes } = dashboardPicture;

  test.each(Object.entries(files))('is a picture of its size for %s pages', async (_, name) => {
    const png = await readFile(join(root, 'docs/pictures', name));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect({ width: png.readUInt32BE(16), height: png.readUInt32BE(20) }).toEqual(size);
    expect(png.length).toBeLessThan(mostBytes);
  });

  test('README shows the one that matches the theme of the page', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    expect(readme).toContain(`<source media="(prefers-color-scheme: dark)" srcset="docs/pictures/${files.dark}">`);
    expect(readme).toMatch(new RegExp(`<img src="docs/pictures/${files.light}" alt="[^"]{20,}">`));
  });
});
