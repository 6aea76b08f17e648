// JSON files of a backup that show whether they were edited: each ends with a MAC of its text, by a key that is derived from sealing.keys. The
// text has one form, so a change of any bit is found.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import type { Keyring } from '../platform/secrets/keyring.ts';
import { fault } from './faults.ts';
import type { Place } from './place.ts';

const purpose = 'backup';

export async function writeSealed(place: Place, name: string, content: object, keys: Keyring): Promise<void> {
  await place.replace(name, sealedText(content, keys));
}

export function sealedText(content: object, keys: Keyring): string {
  const { id, keyObject } = keys.active(purpose);
  return textOf({ ...content, seal: `${id}.${macOf(content, keyObject)}` });
}

/** Throws BackupFaults for a file that is missing, cut off, edited, or sealed with other keys. */
export async function readSealed<Shape extends z.ZodType>(
  place: Place,
  name: string,
  { shape, keys }: { readonly shape: Shape; readonly keys: Keyring },
): Promise<z.output<Shape>> {
  const path = `${place.shown}/${name}`;
  const text = (await place.readText(name)) ?? fault(`${path} is missing: this is no whole backup`);
  const { seal, ...content } = parsed(path, text);
  if (typeof seal !== 'string' || textOf({ ...content, seal }) !== text) return edited(path);
  const [keyId = '', mac = ''] = seal.split('.');
  const key = keys.byId(purpose, keyId);
  if (key === undefined)
    return fault(
      `${path} is sealed with the key ${keyId}, which these key files lack: give the key files of this installation`,
    );
  const [given, expected] = [Buffer.from(mac), Buffer.from(macOf(content, key.keyObject))];
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    return fault(
      `${path} was edited, or belongs to an installation with other keys: give that installation's key files, or use another backup`,
    );
  const result = shape.safeParse(content);
  if (result.success) return result.data;
  return fault(`${path} has a form that this version does not know: use the version that made it`);
}

function parsed(path: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // It is reported like any other text.
  }
  return edited(path);
}

function edited(path: string): never {
  return fault(`${path} was cut off or edited: use another copy of this backup, or another backup`);
}

function textOf(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

function macOf(content: object, key: Parameters<typeof createHmac>[1]): string {
  return createHmac('sha256', key).update(textOf(content)).digest('hex');
}
