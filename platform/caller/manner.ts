// How the mutations of a request are carried out: only tried, or for a source of files. It comes in headers of the request, so that it is the same
// for all mutations.

import { CodedError } from '../errors/errors.ts';
import { uuidOfTexts } from '../values/ids.ts';

export interface MutationManner {
  /** Each mutation is carried out in its transaction and rolled back: nothing of it remains. */
  readonly dryRun?: true;
  /** New objects belong to this source, and objects of another source are left alone. */
  readonly source?: string;
}

export const dryRunHeader = 'tidegate-dry-run';
export const sourceHeader = 'tidegate-source';

export const sourcePattern = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
export const sourceWords = '1 to 63 lower-case letters, digits, hyphens, dots and underscores';

/** Undefined: as usual. Throws INVALID_INPUT. */
export function mannerIn(headers: ReadonlyMap<string, string>): MutationManner | undefined {
  const [dryRun, source] = [headers.get(dryRunHeader), headers.get(sourceHeader)];
  if (dryRun === undefined && source === undefined) return undefined;
  if (dryRun !== undefined && dryRun !== 'true')
    throw new CodedError('INVALID_INPUT', `The header ${dryRunHeader} must be true, or left out.`);
  if (source !== undefined && !sourcePattern.test(source))
    throw new CodedError('INVALID_INPUT', `The header ${sourceHeader} must have ${sourceWords}.`);
  return { ...(dryRun === undefined ? {} : { dryRun: true }), ...(source === undefined ? {} : { source }) };
}

/** UUID among the objects of sources of what is set for a project and has no id: a role, a quota. `projectId`: UUID; `key`: UUID or word. */
export function settingId(subject: string, projectId: string, key: string): string {
  return uuidOfTexts(subject, projectId, key);
}
