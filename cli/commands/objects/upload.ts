// `tidegate objects create` and `update`: store a file as an object.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { clusterVerb, keptBy } from '../../cluster-verb.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { objectShape } from '../../object-shapes.ts';
import { several, text } from '../../option.ts';
import type { Verb } from '../../verb.ts';
import { objectPath } from './path.ts';

const options = {
  option: keptBy,
  'content-type': text('TYPE', 'Content type (application/octet-stream).'),
  metadata: several('NAME=VALUE', 'Metadata.', metadataIn),
} as const;

export const create = upload('create', 'Upload a file as a new object; refused if there is one of that name.');
export const update = upload('update', 'Upload a file in place of an object; refused if there is none of that name.');

function upload(verb: 'create' | 'update', summary: string): Verb {
  return clusterVerb({
    summary,
    examples: [`tidegate objects ${verb} photos/2026/cat.jpg cat.jpg --content-type image/jpeg`],
    takes: ['CONTAINER/OBJECT', 'FILE'],
    options,
    async run({ client, names, options: given, printer }) {
      const [path, file] = [objectPath(names[0]), names[1]];
      const { size } = await sizeOf(file);
      const headers = {
        'content-length': String(size),
        'content-type': given['content-type'] ?? 'application/octet-stream',
        ...(given.option === undefined ? {} : { 'x-tidegate-option': given.option }),
        ...Object.fromEntries(given.metadata),
      };
      const made = await client.json(
        // Sends the announced size, even if the file grows during the upload.
        {
          method: 'PUT',
          path: `/-/${verb}_object/${path}`,
          headers,
          body: () => (size === 0 ? '' : createReadStream(file, { end: size - 1 })),
        },
        objectShape,
      );
      if (given.json) await printer.json(made);
      else await printer.line(`${names[0]} is ${verb}d: ${made.sizeBytes} bytes, version ${made.version}`);
    },
  });
}

async function sizeOf(file: string): Promise<{ readonly size: number }> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(`${file} can't be read: ${error.code ?? error.message}`);
  });
  if (!found.isFile()) throw new CommandFailure(`${file} is not a file`);
  return found;
}

function metadataIn(given: string, name: string): readonly [string, string] {
  const [, key = '', value = ''] = /^([A-Za-z0-9_-]{1,64})=(.*)$/s.exec(given) ?? [];
  if (key === '') throw new UsageError(`${name}: '${given}' is not NAME=VALUE`);
  // UTF-8 bytes, one character each, as in headers.
  return [`x-amz-meta-${key.toLowerCase()}`, Buffer.from(value).toString('latin1')];
}
