// Every field of every part of a load balancer, with settings that make it effective.
import type { JsonObject, JsonValue } from '../../platform/values/json.ts';
import { type PartName, partNames } from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../subgraphs/loadbalancer/spec/parts.ts';

export interface Case {
  readonly kind: PartName;
  readonly field: string;
  /** Settings with the value in its place. */
  readonly given: (value: JsonValue) => JsonObject;
  /** A valid value. Others are compared with it, and some are derived from it. */
  readonly plain: JsonValue;
}

interface Samples {
  /** Id of a certificate of the node, in the forms of the graph and of settings. */
  readonly certificate: string;
  readonly certificateUuid: string;
  /** PEM. */
  readonly authorities: string;
  readonly revocations: string;
}

export function casesOf({ certificate, certificateUuid, authorities, revocations }: Samples): readonly Case[] {
  const terminated = { protocol: 'TERMINATED_HTTPS', port: 8443, certificates: [certificateUuid] };
  const clients = { ...terminated, clientAuthentication: 'MANDATORY', clientAuthorities: authorities };
  const tls = { memberProtocol: 'HTTP', tls: true, authorities };
  const special: Readonly<Record<string, { readonly base: JsonObject; readonly plain: JsonValue }>> = {
    'Listener.tlsCiphers': { base: terminated, plain: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256' },
    'Listener.clientAuthorities': { base: clients, plain: authorities },
    'Listener.clientRevocations': { base: clients, plain: revocations },
    'Listener.certificates': { base: terminated, plain: [certificate] },
    'Listener.clientAuthentication': { base: clients, plain: 'OPTIONAL' },
    'Listener.hstsMaxAgeSeconds': { base: terminated, plain: 60 },
    'Listener.allowedCidrs': { base: { protocol: 'TCP', port: 8022 }, plain: ['10.0.0.0/8'] },
    'Listener.insertHeaders': { base: { protocol: 'HTTP', port: 8080 }, plain: ['X_FORWARDED_FOR'] },
    'Pool.tlsCiphers': { base: tls, plain: 'ECDHE-RSA-AES256-GCM-SHA384' },
    'Pool.tlsServerName': { base: tls, plain: 'in.example' },
    'Pool.authorities': { base: tls, plain: authorities },
    'Pool.clientCertificate': { base: tls, plain: certificate },
    'Pool.persistence': { base: { memberProtocol: 'HTTP' }, plain: { type: 'HTTP_COOKIE' } },
    'PoolMember.host': { base: { port: 80 }, plain: '192.0.2.1' },
    'PoolMember.port': { base: { host: '192.0.2.1' }, plain: 80 },
    'L7Policy.redirectUrl': { base: { action: 'REDIRECT_TO_URL' }, plain: "https://www.example.com/a%20b?x='1'#z" },
    'L7Policy.redirectPrefix': { base: { action: 'REDIRECT_PREFIX' }, plain: 'https://www.example.com' },
    'L7Policy.redirectCode': { base: { action: 'REDIRECT_TO_URL', redirectUrl: 'http://a/' }, plain: 301 },
  };
  const bases: Readonly<Record<PartName, JsonObject>> = {
    Listener: { protocol: 'HTTP', port: 8080 },
    Pool: { memberProtocol: 'HTTP' },
    PoolMember: { host: '192.0.2.1', port: 80 },
    PoolHealthMonitor: { monitorType: 'HTTPS' },
    L7Policy: { action: 'REJECT' },
    L7Rule: { ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/' },
  };
  const plains: Readonly<Record<string, JsonValue>> = {
    ...{ path: '/health?a=b', hostHeader: 'in.example', expectedCodes: '200,202-204', method: 'HEAD', value: '/a' },
    ...{ monitorHost: '192.0.2.9', monitorPort: 81 },
  };
  const fields = partNames.flatMap((kind) =>
    Object.entries(partKinds[kind].fields).map(([field, described]): Case => {
      const { base = bases[kind], plain } = special[`${kind}.${field}`] ?? {};
      const usual = plain ?? plains[field] ?? described.default ?? null;
      return { kind, field, given: (value) => ({ ...base, [field]: value }), plain: usual };
    }),
  );
  return [...fields, ...cookieNames(), ...ruleCases()];
}

function cookieNames(): Case[] {
  return ['HTTP_COOKIE', 'APP_COOKIE'].map((type) => ({
    ...{ kind: 'Pool', field: 'persistence', plain: 'SESSION' },
    given: (cookieName: JsonValue) => ({ memberProtocol: 'HTTP', persistence: { type, cookieName } }),
  }));
}

/** Each combination of rule type and comparison has a separate grammar. */
function ruleCases(): Case[] {
  const compared = ['HOST_NAME', 'PATH', 'FILE_TYPE', 'HEADER', 'COOKIE', 'SSL_DN_FIELD', 'SSL_VERIFY_RESULT'];
  const keyed = ['HEADER', 'COOKIE', 'SSL_DN_FIELD'];
  const values = compared.flatMap((type) =>
    ['EQUAL_TO', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'REGEX'].map((compareType): Case => {
      const base = { ruleType: type, compareType, ...(keyed.includes(type) ? { key: 'k' } : {}) };
      return {
        kind: 'L7Rule',
        field: 'value',
        plain: type === 'SSL_VERIFY_RESULT' ? '0' : 'a',
        given: (value) => ({ ...base, value }),
      };
    }),
  );
  const keys = keyed.map(
    (type): Case => ({
      ...{ kind: 'L7Rule', field: 'key', plain: 'k' },
      given: (key) => ({ ruleType: type, compareType: 'EQUAL_TO', key, value: 'v' }),
    }),
  );
  return [...values, ...keys];
}
