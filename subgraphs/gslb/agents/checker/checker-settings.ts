// Settings of the role checker.
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { listSetting } from '../../../../platform/process/list-setting.ts';

const program = z
  .string()
  .refine(
    (text) => readProgram(text) !== undefined,
    'not a NAME=/PATH, with a name of lower-case letters, digits, - and _',
  );

/** ADDRESS or ADDRESS:PORT, as dns.Resolver takes them. */
const resolver = z
  .string()
  .regex(/^([\d.]+(:\d{1,5})?|[0-9a-fA-F:.]+|\[[0-9a-fA-F:.]+\](:\d{1,5})?)$/, 'not an ADDRESS or ADDRESS:PORT');

export const checkerSettings = {
  'checker.controlUrls': listSetting(z.url({ protocol: /^wss$/ }), 16).describe(
    'role checker: wss://HOST:PORT/link of the processes with the role gslb (gslb.checkerPort), separated by commas; tried in turn',
  ),
  'checker.vantagePoint': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'role checker: name of the vantage point to which this checker belongs, as in its record (tidegate machines update)',
    ),
  'checker.execPrograms': listSetting(program, 100).describe(
    'role checker: programs that monitors of type EXEC may name, as NAME=/PATH, separated by commas; they run with the rights of the checker',
  ),
  'checker.pluginFolder': z
    .string()
    .min(1)
    .optional()
    .describe(
      'role checker: folder of check plugins of your own, a file each (docs/gslb.md, "Write a plugin"); only root and the user of the checker may write it',
    ),
  'checker.resolvers': listSetting(resolver, 8).describe(
    'role checker: name servers (ADDRESS or ADDRESS:PORT) that resolve the names of targets; default: the name servers of the machine',
  ),
  'checker.fping': z
    .string()
    .min(1)
    .default('/usr/bin/fping')
    .describe('role checker: path of fping (5.1 or later), for ICMP'),
} as const;

/** Undefined if the text is not NAME=PATH. */
export function readProgram(text: string): readonly [name: string, path: string] | undefined {
  const [, name = '', path = ''] = /^([a-z][a-z0-9_-]{0,62})=(.+)$/.exec(text) ?? [];
  return isAbsolute(path) ? [name, path] : undefined;
}
