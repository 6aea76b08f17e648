// Health monitors: how the nodes check the members of a pool.
import { formedField, hostField } from '../../../platform/graph/described/fields.ts';
import { onlyFor } from '../../../platform/graph/described/kind.ts';
import { pathAndQuery, statusCodes } from '../../../platform/graph/described/patterns.ts';
import { enumField, integerField, required } from '../../../platform/graph/fields.ts';
import { enabledField, nameField, tagsField } from './common-fields.ts';
import { type PartKind, part } from './part-kind.ts';

const type = {
  name: 'PoolHealthMonitorType',
  description: 'How a health monitor checks a member.',
  values: {
    HTTP: 'An HTTP request.',
    HTTPS: 'An HTTP request over TLS. The certificate is not checked.',
    TCP: 'A TCP connection.',
    TLS_HELLO: 'A TLS handshake.',
  },
} as const;

const method = {
  name: 'PoolHealthMonitorMethod',
  description: 'The method of the request of a check.',
  values: {
    GET: 'The member sends a full answer, whose body is dropped.',
    HEAD: 'The member sends an answer without a body.',
    OPTIONS: 'The member lists its methods.',
  },
} as const;

const http = ['HTTP', 'HTTPS'];

export const healthMonitor: PartKind = {
  name: 'PoolHealthMonitor',
  description: 'How the members of a pool are checked.',
  parent: 'Pool',
  most: 1,
  fields: {
    name: nameField,
    monitorType: part(required(enumField('How it checks a member.', type)), { fixed: true, octavia: 'type' }),
    intervalMs: part(integerField('Interval between checks, 100 to 3600000 milliseconds.', 100, 3_600_000), {
      default: 2_000,
      octavia: 'delay',
    }),
    timeoutMs: part(
      integerField('How long a check may take, 10 to 60000 milliseconds, and at most `intervalMs`.', 10, 60_000),
      { default: 1_000, octavia: 'timeout' },
    ),
    rise: part(integerField('Successful checks in a row until a member is healthy, 1 to 10.', 1, 10), {
      default: 2,
      octavia: 'max_retries',
    }),
    fall: part(integerField('Failed checks in a row until a member is unhealthy, 1 to 10.', 1, 10), {
      default: 3,
      octavia: 'max_retries_down',
    }),
    method: part(enumField('The method of the request, for HTTP and HTTPS. GET if omitted.', method), {
      octavia: 'http_method',
    }),
    path: part(formedField('The path of the request, for HTTP and HTTPS. / if omitted.', 2048, pathAndQuery), {
      octavia: 'url_path',
    }),
    hostHeader: part(hostField('The Host header of the request, and the name in the TLS handshake.'), {
      octavia: 'domain_name',
    }),
    expectedCodes: part(
      formedField(
        'Status codes of a healthy member, for HTTP and HTTPS: a code, a list or a range, for example 200, 200,202 or 200-204. 200 if omitted.',
        255,
        statusCodes,
      ),
      { octavia: 'expected_codes' },
    ),
    enabled: enabledField,
    tags: tagsField,
  },
  refine(spec) {
    const faults = ['method', 'path', 'expectedCodes'].flatMap((field) => onlyFor(spec, field, 'monitorType', http));
    faults.push(...onlyFor(spec, 'hostHeader', 'monitorType', [...http, 'TLS_HELLO']));
    if (Number(spec.timeoutMs) > Number(spec.intervalMs))
      faults.push({ path: ['timeoutMs'], message: `must be at most intervalMs, which is ${String(spec.intervalMs)}` });
    const backwards = String(spec.expectedCodes ?? '')
      .split(',')
      .find((range) => /-/.test(range) && range.slice(0, 3) > range.slice(4));
    if (backwards !== undefined)
      faults.push({ path: ['expectedCodes'], message: `has the range ${backwards}, which ends before it begins` });
    return faults;
  },
};
