// The place of an object: a project, or a parent that an option names.
import type { Kind } from '../../schema/kinds/kind.ts';
import { optionWords } from '../../schema/kinds/option-names.ts';
import { projectId } from '../find.ts';
import type { GraphClient } from '../graph-client.ts';
import { type Options, text } from '../option.ts';
import { commonOptions } from '../remote-verb.ts';
import { fieldsGroup } from './field-options.ts';
import { kindOf, type Where, wordsOf } from './find-object.ts';

const { project } = commonOptions;

/** The options of a verb, as read. */
export type Values = Readonly<Record<string, unknown>>;

/** The name of the option with the parent of a part: pool. */
export function parentOption({ parent }: Kind): string | undefined {
  if (parent === undefined) return undefined;
  return parent.kind === 'Project' ? 'project' : optionWords(parent.input.replace(/Id$/, ''));
}

export function parentHelp(kind: Kind): string {
  const words = wordsOf(kindOf(kind.parent?.kind ?? ''));
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}, by name or id.`;
}

export function placeOptions(kind: Kind): Options {
  // Objects with only an id, or with the name of their parent, are not searched for in a project.
  const isNamed = kind.key.length > 0 && kind.parent?.has !== 'one';
  return { ...(isNamed ? parentOptions(kind) : {}), ...(isProjects(kind) ? { project } : {}) };
}

export function parentOptions(kind: Kind): Options {
  const parent = parentOption(kind);
  return parent === undefined || parent === 'project'
    ? {}
    : { [parent]: { ...text('NAME', parentHelp(kind)), group: fieldsGroup } };
}

/** Whether its name is looked for in a project. */
export function isProjects({ parent, scope }: Kind): boolean {
  if (parent === undefined) return scope === 'project';
  return parent.kind === 'Project' || isProjects(kindOf(parent.kind));
}

export async function whereOf(client: GraphClient, kind: Kind, values: Values): Promise<Where> {
  const parent = parentOption(kind);
  const inProject = await projectId(client, values.project as string | undefined);
  if (parent === 'project') return { projectId: inProject, parent: inProject };
  return { projectId: inProject, parent: parent === undefined ? undefined : (values[parent] as string | undefined) };
}
