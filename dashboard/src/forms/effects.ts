// The effects of a form, and expected effects that it lacks, as far as its input shows them. No DOM here.
import { isObject, type JsonObject, type JsonValue } from '../../../platform/values/json.ts';
import type { FieldFault } from './draft.ts';

export interface Effects {
  readonly does: readonly string[];
  /** Effects that a person may expect, but that are missing. */
  readonly lacks: readonly string[];
}

const nothing: Effects = { does: [], lacks: [] };

/** By mutation. */
const effects: Readonly<Record<string, (input: JsonObject) => Effects>> = {
  loadBalancerCreate: ofBalancer,
  listenerCreate: (input) => ({ does: [], lacks: lacksOfListener(input, input.defaultPoolId, '') }),
  poolCreate: () => ({ does: [], lacks: ['No request reaches it yet: no listener and no L7 policy uses it.'] }),
  gslbCreate: ofName,
  gslbPoolCreate: () => ({ does: [], lacks: ['DNS answers nothing from it yet: no name uses it.'] }),
  userCreate: ({ admin }) =>
    admin === true ? nothing : { does: [], lacks: ['This user sees nothing yet: add the user to a project.'] },
  alertRuleCreate: ({ channelIds }) =>
    listOf(channelIds).length > 0 ? nothing : { does: [], lacks: ['Nobody gets its messages: it has no channel.'] },
};

export function effectsOf(mutation: string, input: JsonObject): Effects {
  return effects[mutation]?.(input) ?? nothing;
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).map((each) => (isObject(each) ? each : {})) : [];
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function ofBalancer(input: JsonObject): Effects {
  const [pools, listeners] = [listOf(input.pools), listOf(input.listeners)];
  const least = Number(input.minNodes ?? 2);
  const most = Number(input.maxNodes ?? least);
  const isScaled = isObject(input.autoscaling);
  const lacks: string[] = listeners.length === 0 ? ['It serves nothing: it has no listener.'] : [];
  const does = [
    isScaled && least < most ? `${least} to ${counted(most, 'node')}, by the load.` : `${counted(least, 'node')}.`,
  ];
  for (const listener of listeners) {
    const pool = pools.find(({ name }) => name === listener.defaultPool);
    const members = listOf(pool?.members).length;
    const where = listeners.length === 1 ? '' : ` to port ${String(listener.port ?? '?')}`;
    if (pool === undefined) lacks.push(...lacksOfListener(listener, undefined, where));
    else if (members === 0) lacks.push(refused(listener, where, `the pool ${String(pool.name)} has no members`));
    else
      does.push(`${protocolWords(listener)} port ${String(listener.port ?? '?')}: to ${counted(members, 'member')}.`);
  }
  for (const pool of pools)
    if (listOf(pool.members).length > 0 && !isObject(pool.healthMonitor))
      lacks.push(`A member that fails still gets requests: the pool ${String(pool.name)} has no health monitor.`);
  if (least < most && !isScaled) lacks.push(`The number of nodes stays ${least}: there is no autoscaling.`);
  return { does, lacks };
}

function protocolWords({ protocol }: JsonObject): string {
  return protocol === 'TERMINATED_HTTPS' ? 'HTTPS' : String(protocol ?? '');
}

function lacksOfListener(listener: JsonObject, pool: JsonValue | undefined, where: string): readonly string[] {
  return pool === undefined || pool === null ? [refused(listener, where, 'the listener has no pool')] : [];
}

/** The answer that clients get. */
function refused({ protocol }: JsonObject, where: string, because: string): string {
  const isOpened = protocol === undefined || protocol === 'HTTP' || protocol === 'TERMINATED_HTTPS';
  return isOpened ? `Requests${where} get 503: ${because}.` : `Connections${where} are closed: ${because}.`;
}

function ofName(input: JsonObject): Effects {
  const pools = listOf(input.pools);
  const unchecked = pools.filter((pool) => listOf(pool.members).length > 0 && listOf(pool.monitors).length === 0);
  return {
    does: [],
    lacks: unchecked.map(
      ({ name }) =>
        `A member that fails stays in the answer: the pool${name === undefined ? '' : ` ${String(name)}`} has no monitor.`,
    ),
  };
}

/** Fields that the server changes together with another one. */
export function silentChanges(mutation: string, before: JsonObject, input: JsonObject): readonly FieldFault[] {
  if (mutation !== 'loadBalancerUpdate' || input.maxNodes !== undefined) return [];
  const [least, most] = [Number(input.minNodes ?? 0), Number(before.maxNodes ?? 0)];
  if (!(least > most) || most === 0) return [];
  return [{ path: ['maxNodes'], message: `Max nodes becomes ${least} too: it can't be less than min nodes.` }];
}
