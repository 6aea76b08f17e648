// `list` and `show` for any kind. `--json` prints everything that was read.
import { registry } from '../../generated/kinds/registry.ts';
import type { JsonObject, JsonValue } from '../../platform/values/json.ts';
import { selectionOf } from '../../schema/kinds/documents.ts';
import type { Kind } from '../../schema/kinds/kind.ts';
import { projectId } from '../find.ts';
import { neededText, type Options } from '../option.ts';
import { commonOptions } from '../remote-verb.ts';
import { listVerb, showVerb } from '../row-verbs.ts';
import type { Verb } from '../verb.ts';
import { fieldsGroup, filterOptions } from './field-options.ts';
import { findObject, kindOf, listChildren, listObjects, pluralOf, wordsOf } from './find-object.ts';
import { parentHelp, parentOption, placeOptions, type Values, whereOf } from './place.ts';
import { columnsOf, pairsOf } from './shown.ts';

/** Given in another way, or as a name to search for. */
const ownFilters: ReadonlySet<string> = new Set(['projectId', 'names']);

export function listOf(kind: Kind): Verb {
  const { list } = kind;
  if (list === undefined) return listOfParent(kind);
  const filters = filterOptions(list.filters.filter(({ name }) => !ownFilters.has(name)));
  const project = list.filters.some(({ name }) => name === 'projectId') ? { project: commonOptions.project } : {};
  return listVerb<Options, JsonObject>({
    summary: `List ${pluralOf(kind)}.`,
    options: { ...project, ...Object.fromEntries(filters.map(({ name, option }) => [name, option])) },
    async read({ client, options }) {
      const values = options as Values;
      const given = filters.flatMap(({ name, field }) => (isGiven(values[name]) ? [[field.name, values[name]]] : []));
      const inProject = await projectId(client, values.project as string | undefined);
      const scope = inProject === undefined ? {} : { projectId: inProject };
      return listObjects(client, kind, { ...(Object.fromEntries(given) as Record<string, JsonValue>), ...scope });
    },
    columns: columnsOf(kind),
  });
}

function listOfParent(kind: Kind): Verb {
  const parent = parentOption(kind) ?? '';
  const isOfProject = parent === 'project';
  const help = isOfProject ? commonOptions.project.help : parentHelp(kind);
  const of = kindOf(kind.parent?.kind ?? '');
  const isAlone = kind.parent?.has === 'one';
  return listVerb<Options, JsonObject>({
    summary: isAlone
      ? `List the ${wordsOf(kind)} of a ${wordsOf(of)}.`
      : `List the ${pluralOf(kind)} of a ${wordsOf(of)}.`,
    options: {
      ...placeOptions(kind),
      [parent]: isOfProject ? neededText('PROJECT', help) : { ...neededText('NAME', help), group: fieldsGroup },
    },
    async read({ client, options }) {
      const where = await whereOf(client, kind, options as Values);
      const found = await findObject(
        client,
        of,
        String(where.parent),
        isOfProject ? {} : { projectId: where.projectId },
      );
      return listChildren(client, kind, String(found.id));
    },
    columns: columnsOf(kind),
  });
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

export function showOf(kind: Kind): Verb {
  return showVerb<Options, readonly ['NAME'], JsonObject>({
    summary: `Show ${aOf(kind)}.`,
    takes: ['NAME'],
    options: placeOptions(kind),
    async read({ client, names, options }) {
      const where = await whereOf(client, kind, options as Values);
      return findObject(client, kind, names[0], where, selectionOf(registry, kind));
    },
    print: (printer, found) => printer.pairs(pairsOf(kind, found)),
  });
}

/** `an access key`. */
export function aOf(kind: Kind): string {
  const words = wordsOf(kind);
  return `${/^([aeio]|l7)/i.test(words) ? 'an' : 'a'} ${words}`;
}
