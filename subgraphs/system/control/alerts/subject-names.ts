// The names of alerts' subjects, as the graph shows them to a viewer of their project. A name that can't be had in time is left out.
import type { AskGraph } from '../../../../platform/graph/ask-graph.ts';
import type { Logger } from '../../../../platform/process/log.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { AlertAction } from '../../rules/alerts/evaluate.ts';
import type { Signal } from '../stores/alert-watch-store.ts';

/** Types of projects' subjects that have names, with the field that has it. */
const namedTypes: Readonly<Record<string, string>> = {
  Backend: 'name',
  LoadBalancer: 'name',
  Gslb: 'fqdn',
  RelayOperation: 'name',
  Mapping: 'objectKey',
};

const namesAtOnce = 20;
/** For all names of an evaluation: alerts do not wait longer for them. */
const patienceMs = 3_000;

export class SubjectNames {
  readonly #askGraph: AskGraph;
  readonly #log: Logger;

  constructor({ askGraph, log }: { readonly askGraph: AskGraph; readonly log: Logger }) {
    this.#askGraph = askGraph;
    this.#log = log;
  }

  async nameSubjects(
    actions: readonly AlertAction<Signal>[],
    signal: AbortSignal,
  ): Promise<readonly AlertAction<Signal>[]> {
    const nameless = actions.flatMap((action) =>
      action.kind === 'FIRE' && action.signal.subjectName === null && action.signal.subjectType in namedTypes
        ? [action.signal]
        : [],
    );
    if (nameless.length === 0) return actions;
    const names = await this.#ask(nameless, AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]));
    return actions.map((action) => {
      const name = action.kind === 'FIRE' ? names.get(idOf(action.signal)) : undefined;
      if (action.kind !== 'FIRE' || name === undefined) return action;
      return { ...action, signal: { ...action.signal, subjectName: name.slice(0, 255) } };
    });
  }

  async #ask(signals: readonly Signal[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const names = new Map<string, string>();
    const groups = Map.groupBy(signals, ({ projectId, subjectType }) => `${projectId}/${subjectType}`);
    for (const group of groups.values()) {
      const [{ projectId = null, subjectType = '' } = {}] = group;
      for (let at = 0; projectId !== null && at < group.length && !signal.aborted; at += namesAtOnce) {
        const ids = group.slice(at, at + namesAtOnce).map(idOf);
        try {
          const data = await this.#askGraph({ projectId, signal, ...questionOf(subjectType, ids) });
          for (const [index, id] of ids.entries()) {
            const { name } = (data[`n${index}`] ?? {}) as { readonly name?: unknown };
            if (typeof name === 'string') names.set(id, name);
          }
        } catch (error) {
          this.#log.debug({ err: error, subjectType }, 'the graph did not return the names of subjects');
        }
      }
    }
    return names;
  }
}

function questionOf(type: string, ids: readonly string[]) {
  const parameters = ids.map((_, at) => `$n${at}: ID!`).join(', ');
  const fields = ids.map((_, at) => `n${at}: node(id: $n${at}) { ... on ${type} { name: ${namedTypes[type]} } }`);
  return {
    query: `query (${parameters}) { ${fields.join(' ')} }`,
    variables: Object.fromEntries(ids.map((id, at) => [`n${at}`, id])),
  };
}

function idOf({ subjectType, subjectId }: Signal): string {
  return encodeId(subjectType, subjectId);
}
