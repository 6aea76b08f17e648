// Health monitors, and the rules with which pools and nodes refer to them. Message of 01070083 as in F5's K10516.

import type { Config } from '../config.ts';
import type { JsonValue } from '../rest.ts';
import { type Kind, missing, refuse } from './kind.ts';

const monitorTypes = ['http', 'https', 'tcp'] as const;
/** Part of the system. */
const rootMonitors = new Set(['http', 'https', 'tcp', 'icmp', 'gateway_icmp'].map((name) => `/Common/${name}`));

/** `/Common/a and /Common/b`, or `min 1 of { /Common/a }`: returns its paths. */
function monitorsIn(rule: JsonValue | undefined): readonly string[] {
  return typeof rule === 'string' ? (rule.match(/\/[\w.~/-]+/g) ?? []) : [];
}

export function storeMonitorRule(rule: JsonValue | undefined, config: Config): JsonValue | undefined {
  if (rule === undefined || rule === '' || rule === 'none') return undefined;
  if (rule === 'default' || rule === '/Common/none') return rule;
  for (const path of monitorsIn(rule)) {
    const known = rootMonitors.has(path) || monitorTypes.some((type) => config.find(`ltm/monitor/${type}`, path));
    if (!known) missing('Monitor', path);
  }
  return rule;
}

/** 13.1 shows a pool's monitor rule with a space at its end. */
export const shownRule = (rule: JsonValue | undefined): JsonValue | undefined =>
  rule === undefined ? undefined : `${rule} `;

function monitor(type: (typeof monitorTypes)[number]): Kind {
  const http = type === 'tcp' ? {} : { username: undefined, password: undefined };
  return {
    collection: `ltm/monitor/${type}`,
    kind: `tm:ltm:monitor:${type}:${type}`,
    noun: 'Monitor',
    properties: {
      adaptive: 'disabled',
      defaultsFrom: `/Common/${type}`,
      description: undefined,
      destination: '*:*',
      interval: 5,
      manualResume: 'disabled',
      recv: undefined,
      recvDisable: undefined,
      reverse: 'disabled',
      send: type === 'tcp' ? undefined : 'GET /\\r\\n',
      timeUntilUp: 0,
      timeout: 16,
      transparent: 'disabled',
      upInterval: 0,
      ...http,
    },
    fixed: ['defaultsFrom'],
    store(values, { fullPath }) {
      if (Number(values.timeout) <= Number(values.interval)) {
        refuse(`01070604:3: Monitor ${fullPath}: the timeout must be greater than the interval.`);
      }
      return values;
    },
    checkUnused({ fullPath }, config) {
      const uses = [...config.list('ltm/pool'), ...config.list('ltm/node')];
      if (uses.some((each) => monitorsIn(each.values.monitor).includes(fullPath))) {
        refuse(`01070083:3: Monitor ${fullPath} is in use.`);
      }
    },
  };
}

export const monitors: readonly Kind[] = monitorTypes.map(monitor);
