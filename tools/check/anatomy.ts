// Every subgraph has the same folders (docs/architecture.md). Imports between them go one way.
import { posix } from 'node:path';
import type { SourceFile } from './source-files.ts';

/** Rooms of a subgraph, with the rooms that their files may import. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  spec: ['spec', 'rules', 'drivers'],
  rules: ['rules', 'spec', 'wire'],
  wire: ['wire', 'spec', 'rules'],
  drivers: ['drivers'],
  transports: ['transports', 'drivers'],
  engine: ['engine', 'rules', 'wire'],
  agents: ['agents', 'engine', 'rules', 'spec', 'wire'],
  control: ['control', 'drivers', 'rules', 'spec', 'transports', 'wire'],
};

/** Rooms without I/O. Outside their subgraph, their files may import only these parts of the product. */
const pure: Readonly<Record<string, readonly string[]>> = {
  spec: ['dns/', 'platform/'],
  rules: ['dns/', 'platform/'],
  wire: ['dns/', 'platform/'],
  drivers: ['platform/'],
};

interface Place {
  /** `subgraphs/NAME/`. */
  readonly home: string;
  /** Absent at the top of the subgraph. */
  readonly room?: string;
  /** The folder that must not be part of a circle: a room, or a feature, role or room within it. */
  readonly folder: string;
}

export function findAnatomyFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const place = placeOf(file.path);
    return place === undefined ? [] : faultsOf(file, place);
  });
}

function placeOf(path: string): Place | undefined {
  const [, home, inside = ''] = /^(subgraphs\/[^/]+\/)(.+)$/.exec(path) ?? [];
  if (home === undefined) return undefined;
  const [room = '', second] = inside.split('/');
  if (room === inside) return { home, folder: home };
  const divided = ['control', 'agents', 'engine'].includes(room) && second !== undefined;
  return { home, room, folder: `${home}${divided ? `${room}/${second}` : room}` };
}

function faultsOf({ path, imports }: SourceFile, { home, room, folder }: Place): string[] {
  if (room === undefined) {
    const name = posix.basename(home);
    const known = [`${home}row.ts`, `${home}${name}.ts`].includes(path);
    return known ? [] : [`${path}: only row.ts and ${name}.ts are at the top of ${home}`];
  }
  const allowed = rooms[room];
  if (allowed === undefined)
    return [`${path}: ${room}/ is no folder of a subgraph: it has ${Object.keys(rooms).join(', ')}`];
  const outside = pure[room];
  return imports.flatMap(({ target, ours }) => {
    if (!ours) return [];
    const to = placeOf(target);
    if (to?.home !== home) {
      const isFine = outside === undefined || outside.some((prefix) => target.startsWith(prefix));
      return isFine ? [] : [`${path} imports ${target}: ${room}/ may import only ${outside.join(', ')}`];
    }
    if (to.room === undefined) return [`${path} imports ${target}: only the rest of the product imports the top`];
    if (!allowed.includes(to.room))
      return [`${path} imports ${target}: ${room}/ may import only ${allowed.join(', ')}`];
    const toOtherRole = room === 'agents' && to.room === 'agents' && to.folder !== folder && !to.folder.endsWith('.ts');
    return toOtherRole ? [`${path} imports ${target}: an agent imports no other agent`] : [];
  });
}
