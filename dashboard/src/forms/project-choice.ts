// Which project a new object will be in. A person always chooses it: only a project that is the viewer's only one is filled in. No DOM here.
import type { Action, Kind } from '../../../schema/kinds/kind.ts';
import type { Viewer } from '../live/entity-kind.ts';
import { type DraftObject, formFields, noObject } from './draft.ts';

/** Kinds that an administrator may create for the whole installation. A test compares them with the graph's words. */
export const ofInstallation: ReadonlySet<string> = new Set(['AlertChannel', 'AlertRule']);

export interface Choice {
  /** Help of fields that a person must fill in although the graph does not need them, by their names. */
  readonly needed: Readonly<Record<string, string>>;
  /** Fields that can be set to no object, with the words for that. */
  readonly none: Readonly<Record<string, string>>;
  readonly presets: DraftObject;
  /** Names of the presets by id. */
  readonly names: ReadonlyMap<string, string>;
}

export const noChoice: Choice = { needed: {}, none: {}, presets: {}, names: new Map() };

export function projectChoice({ type }: Kind, { input }: Action, viewer: Viewer | null): Choice {
  const field = formFields(input).find(({ name }) => name === 'projectId');
  if (field === undefined) return noChoice;
  const isWide = viewer?.admin === true && ofInstallation.has(type);
  const help = `Its project${isWide ? ', or the whole installation' : ''}.`;
  const projects = viewer?.projects.map(({ project }) => project) ?? [];
  const [only] = isWide || projects.length !== 1 ? [] : projects;
  return {
    needed: field.required === true ? {} : { projectId: help },
    none: isWide ? { projectId: 'the whole installation' } : {},
    presets: only === undefined ? {} : { projectId: only.id },
    names: new Map([...projects.map(({ id, name }) => [id, name] as const), [noObject, 'the whole installation']]),
  };
}
