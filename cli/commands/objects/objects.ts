// `tidegate objects`: objects in containers, at a cluster of object storage.
import { createWriteStream } from 'node:fs';
import { basename } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { clusterVerb } from '../../cluster-verb.ts';
import { CommandFailure } from '../../failures.ts';
import { type objectShape, pageShape, statShape } from '../../object-shapes.ts';
import { flag, integer, text } from '../../option.ts';
import { replaceFile } from '../../replace-file.ts';
import type { Noun } from '../../verb.ts';
import { locate } from './locate.ts';
import { objectPath } from './path.ts';
import { replaceable } from './save.ts';
import { create, update } from './upload.ts';
import { url } from './url.ts';

const mostPage = 1_000;

const nearestOption = {
  nearest: flag(
    'Ask only one cluster, even while others are unavailable: the answer may be old, and contains its maximum age.',
  ),
} as const;

const wishOf = (options: { readonly nearest: boolean }) =>
  options.nearest ? { headers: { 'x-tidegate-read': 'nearest' } } : {};

const ringText = ({ ring, epoch }: { readonly ring: number; readonly epoch: number | null }) =>
  `${ring}${epoch === null ? '' : `, epoch ${epoch}`}`;

/** `told`: milliseconds, as a number or a header's text. Null or `unknown` if unknown. */
function ageOf(told: number | string | string[] | null | undefined): string {
  const ms = Number(told ?? Number.NaN);
  return Number.isNaN(ms) ? 'unknown' : `at most ${ms} ms`;
}

const list = clusterVerb({
  summary: 'List the objects of a container, in the order of their names.',
  takes: ['CONTAINER'],
  options: {
    prefix: text('TEXT', 'Only names that begin so.'),
    delimiter: text('TEXT', 'Names up to this text after the prefix are shown once, for example /.'),
    limit: integer('N', 'Maximum number of rows (1000).', { least: 1, most: 1_000_000 }),
  },
  async run({ client, names, options, printer }) {
    const { prefix = '', delimiter = '', limit = mostPage } = options;
    const objects: z.output<typeof objectShape>[] = [];
    const prefixes: string[] = [];
    for (let after = ''; ; ) {
      const left = Math.min(mostPage, limit - objects.length - prefixes.length);
      const query = new URLSearchParams({ prefix, delimiter, after, limit: String(left) });
      const path = `/-/list_object/${encodeURIComponent(names[0])}?${query}`;
      const page = await client.json({ method: 'GET', path }, pageShape);
      objects.push(...page.objects);
      prefixes.push(...page.prefixes);
      if (page.next === null || objects.length + prefixes.length >= limit) break;
      after = page.next;
    }
    if (options.json) return printer.json({ objects, prefixes });
    const rows = objects.map(({ name, sizeBytes, modifiedAt, contentType }) => [
      ...[name, String(sizeBytes), modifiedAt, contentType],
    ]);
    return printer.table(
      ['OBJECT', 'BYTES', 'MODIFIED', 'TYPE'],
      [...prefixes.map((name) => [name, '-', '-', '-']), ...rows],
    );
  },
});

const stat = clusterVerb({
  summary: 'Show an object: ring, partition, clusters, and the version of each replica.',
  takes: ['CONTAINER/OBJECT'],
  options: nearestOption,
  async run({ client, names, options, printer }) {
    const path = `/-/stat_object/${objectPath(names[0])}`;
    const found = await client.json({ method: 'GET', path, ...wishOf(options) }, statShape);
    if (options.json) return printer.json(found);
    const { clusters, replicas, container, metadata, option, bytes } = found;
    await printer.pairs([
      ['Object', found.name],
      ['Id', found.id],
      ['Container', container.name],
      ['Bytes', found.sizeBytes],
      ['Type', found.contentType],
      ['Modified', found.modifiedAt],
      ['ETag', found.etag],
      ['Version', found.version],
      [
        'Metadata',
        Object.entries(metadata)
          .map(([name, value]) => `${name}=${value}`)
          .join(' '),
      ],
      ['Option', option],
      ['Ring', ringText(found)],
      ['Partition', found.partition],
      ['Clusters', clusters.join(' ')],
      [
        'Bytes at',
        bytes === null
          ? 'with the name'
          : `ring ${ringText(bytes)}, partition ${bytes.partition}: ${bytes.clusters.join(' ')}`,
      ],
      ...(options.nearest ? [['Age', ageOf(found.ageMs)] as const] : []),
    ]);
    if (options.nearest) return;
    await printer.line('');
    const rows = replicas.map(({ cluster, version, isDeleted, reason }) => [
      ...[
        cluster,
        version ?? '-',
        reason ?? (isDeleted ? 'deleted' : version === found.version ? 'newest' : version === null ? 'none' : 'older'),
      ],
    ]);
    return printer.table(['REPLICA', 'VERSION', 'STATE'], rows);
  },
});

const download = clusterVerb({
  summary: 'Download an object into a file, or with - to the standard output.',
  takes: ['CONTAINER/OBJECT', '[FILE]'],
  options: nearestOption,
  async run({ client, names, options, printer, stdout, stderr }) {
    const path = objectPath(names[0]);
    const file = names[1] ?? basename(names[0]);
    const target = file === '-' ? file : await replaceable(file);
    const asked = { method: 'GET', path: `/-/download_object/${path}`, ...wishOf(options) } as const;
    const { headers, body } = await client.stream(asked);
    const age = headers['x-tidegate-age-ms'];
    const counted = counter();
    if (file === '-') {
      await pipeline(body, counted.stream, stdout, { end: false }).catch(failed(names[0]));
    } else {
      await replaceFile(target, async (partial, flags) => {
        await pipeline(body, counted.stream, createWriteStream(partial, { flags })).catch(failed(names[0]));
        mustBe(names[0], counted.bytes(), headers['content-length']);
      });
    }
    mustBe(names[0], counted.bytes(), headers['content-length']);
    if (file === '-') {
      if (options.nearest) stderr.write(`${names[0]}: age ${ageOf(age)}\n`);
      return;
    }
    const told = age === undefined ? {} : { ageMs: age === 'unknown' ? null : Number(age) };
    if (options.json) await printer.json({ object: names[0], file, sizeBytes: counted.bytes(), ...told });
    else await printer.line(`${file}: ${counted.bytes()} bytes${options.nearest ? `, age ${ageOf(age)}` : ''}`);
  },
});

const remove = clusterVerb({
  summary: 'Delete an object.',
  takes: ['CONTAINER/OBJECT'],
  options: {},
  async run({ client, names, options, printer }) {
    await client.done({ method: 'DELETE', path: `/-/delete_object/${objectPath(names[0])}` });
    if (options.json) await printer.json({ object: names[0], deleted: true });
    else await printer.line(`${names[0]} is deleted`);
  },
});

function counter(): { readonly stream: Transform; bytes(): number } {
  let bytes = 0;
  const stream = new Transform({
    transform(piece: Buffer, _, next) {
      bytes += piece.length;
      next(null, piece);
    },
  });
  return { stream, bytes: () => bytes };
}

function failed(object: string): (error: NodeJS.ErrnoException) => never {
  return ({ code, message }) => {
    throw new CommandFailure(`${object} was not downloaded whole: ${code ?? message}`);
  };
}

function mustBe(object: string, bytes: number, said: string | string[] | undefined): void {
  if (String(bytes) !== said)
    throw new CommandFailure(`${object} was not downloaded whole: ${bytes} of ${said} bytes came`);
}

export const objects: Noun = { list, create, update, stat, locate, url, download, delete: remove };
