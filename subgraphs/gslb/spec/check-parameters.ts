// Parameters of checks as types of the graph, made from the schemas of check-types.ts: for each check type an input for monitors, an input for
// members that override them, and an object. Only the parameters are stored, under the names of the schemas.
import {
  enumField,
  type Field,
  type Fields,
  fieldsText,
  inputField,
  quoted,
  withoutDefault,
} from '../../../platform/graph/fields.ts';
import { canonicalJson, type JsonObject, type JsonValue } from '../../../platform/values/json.ts';
import { type CheckType, checkTypes, questionTypes } from './check-types.ts';
import { jsonField } from './kind.ts';

interface Meaning {
  readonly description: string;
  /** Value that a check uses without the parameter. */
  readonly default?: JsonValue;
  /** Its name in the graph, if it differs from the schema's. */
  readonly shownAs?: string;
  readonly values?: { readonly name: string; readonly description: string; readonly values: Record<string, string> };
}

const eachIs = (names: readonly string[], meaning: (name: string) => string) =>
  Object.fromEntries(names.map((name) => [name, meaning(name)]));

const talk = {
  send: { description: 'Text to send after connecting, at most 4096 characters.' },
  expect: { description: 'Text that the answer must contain, 1 to 1024 characters.' },
};

const request = {
  method: {
    description: 'Method of the request.',
    default: 'GET',
    values: {
      name: 'GslbHttpMethod',
      description: 'Method of an HTTP check.',
      values: eachIs(['GET', 'HEAD', 'OPTIONS', 'POST'], (name) => `The request is a ${name}.`),
    },
  },
  path: { description: 'Path and query of the request, at most 2048 characters.', default: '/' },
  hostHeader: { description: 'Host header, at most 300 characters. Null for the host and port that are checked.' },
  body: { description: 'Body of the request, at most 4096 characters.' },
  expectedCodes: { description: 'Expected status codes, for example 200, 200,204 or 200-399.', default: '200' },
  expect: { description: 'Text that the first 64 KiB of the body must contain, 1 to 1024 characters.' },
};

const tls = {
  serverName: {
    description: 'Name for SNI and the certificate, at most 253 characters. Null for the checked host name.',
  },
  verify: { description: 'Whether the certificate must be valid for the name.', default: true },
  caCertificates: { description: 'PEM certificates of trusted authorities. Null for the well-known ones.' },
  minDaysLeft: { description: 'Minimum remaining validity of the certificate, in days, 0 to 3650.' },
};

const openStack = {
  url: { description: 'URL of the service, for example https://octavia.example.com:9876.' },
  authUrl: { description: 'URL of Keystone, at most 500 characters.' },
  project: { description: 'Project of the account in `auth`, 1 to 255 characters.' },
  userDomain: { description: 'Domain of the user, 1 to 255 characters.' },
  projectDomain: { description: 'Domain of the project, 1 to 255 characters.' },
  caCertificates: { description: 'PEM certificates of trusted authorities. Null for the well-known ones.' },
  certificateSha256: { description: 'SHA256 fingerprint of the only accepted certificate. Null for any valid one.' },
};

const recordTypes = Object.keys(questionTypes);

/** Keyed by check type. Parameters without an entry are not in the graph (`id` of OpenStack objects, which members give). */
const meanings: Readonly<Partial<Record<string, Readonly<Record<string, Meaning>>>>> = {
  TCP: talk,
  UDP: talk,
  HTTP: request,
  HTTPS: { ...request, ...tls },
  SSH: {
    expect: { description: 'Text that the banner must contain, 1 to 255 characters.' },
    keyExchange: { description: 'Whether the key exchange must begin, after the banner.', default: true },
  },
  GRPC: {
    service: { description: 'Service whose health counts, at most 255 characters. Null for the whole server.' },
    tls: { description: 'Whether the connection uses TLS.', default: false },
    ...tls,
  },
  DNS: {
    name: { description: 'Name to ask for, at most 253 characters.' },
    type: {
      description: 'Record type to ask for.',
      default: 'A',
      values: {
        name: 'GslbDnsRecordType',
        description: 'Record type that a DNS check asks for.',
        values: eachIs(recordTypes, (name) => `Records of type ${name}.`),
      },
    },
    expect: { description: 'Texts of records that the answer must have, at most 32.', shownAs: 'expectedRecords' },
    expectedCode: {
      description: 'Response code of a good answer.',
      default: 'NOERROR',
      values: {
        name: 'GslbDnsResponseCode',
        description: 'Response code of a DNS server.',
        values: {
          NOERROR: 'The name exists.',
          NXDOMAIN: 'The name does not exist.',
          REFUSED: 'The server refuses the question.',
        },
      },
    },
    recursionDesired: { description: 'Whether the server should ask others.', default: false },
    transport: {
      description: 'Transport of the question.',
      default: 'UDP',
      values: {
        name: 'GslbDnsTransport',
        description: 'Transport of a DNS check.',
        values: { UDP: 'UDP, without a second try over TCP.', TCP: 'TCP from the beginning.' },
      },
    },
  },
  EXEC: {
    program: { description: "Name of a program in the settings of the checker's host, at most 63 characters." },
    arguments: { description: 'Arguments that are no options, at most 16.' },
  },
  NEUTRON_LBAAS_V2: openStack,
  NEUTRON_PORT: openStack,
};

interface Typed {
  readonly checkType: string;
  /** Key in the inputs, for example `http`. */
  readonly key: string;
  /** Type name, for example `GslbHttpParameters`. */
  readonly object: string;
  readonly fields: Fields;
  /** Names in the schema, by names in the graph. */
  readonly stored: ReadonlyMap<string, string>;
}

interface Schema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, JsonObject>>;
}

function typed({ name, parameters }: CheckType): Typed[] {
  const { required, properties } = parameters as Schema;
  const known = Object.entries(meanings[name] ?? {});
  if (known.length === 0) return [];
  const words = name.toLowerCase().split('_');
  const pascal = words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('');
  const fields = known.map(([property, meaning]) => [
    meaning.shownAs ?? property,
    fieldOf(properties[property] ?? {}, meaning, required.includes(property)),
  ]);
  return [
    {
      checkType: name,
      key: `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}`,
      object: `Gslb${pascal}Parameters`,
      fields: Object.fromEntries(fields),
      stored: new Map(known.map(([property, { shownAs }]) => [shownAs ?? property, property])),
    },
  ];
}

const scalars: Readonly<Record<string, string>> = {
  string: 'String',
  integer: 'Int',
  boolean: 'Boolean',
  array: '[String!]',
};

function fieldOf(schema: JsonObject, { description, default: value, values }: Meaning, required: boolean): Field {
  const usual = value === undefined ? {} : { default: value };
  if (values !== undefined) return { ...enumField(description, values), ...usual };
  const type = scalars[String(schema.type)] ?? 'String';
  return { type, description, required, schema, definitions: new Map(), ...usual };
}

const types: readonly Typed[] = Object.values(checkTypes).flatMap(typed);
const byKey = new Map(types.map((type) => [type.key, type]));
const byType = new Map(types.map((type) => [type.checkType, type]));

const plugin = jsonField('Parameters of a plugin. `gslbMonitorTypes` has their schema.');

/** Exactly one entry, of the monitor's own type. */
export const monitorParameters: Field = {
  ...inputField('Parameters of the check: the entry of its `checkType`. Null for the defaults.', {
    name: 'GslbMonitorParametersInput',
    description: "Parameters of a monitor's check, by its type.",
    oneOf: true,
    fields: {
      ...Object.fromEntries(
        types.map(({ key, checkType, object, fields }) => [
          key,
          inputField(`For a monitor of type ${checkType}.`, {
            name: `${object}Input`,
            description: `Parameters of a check of type ${checkType}.`,
            fields,
          }),
        ]),
      ),
      plugin,
    },
  }),
  // Stored form, which the schema of its type validates.
  schema: { type: 'object' },
};

/** Nothing has a default, because only given parameters override. */
export const memberParameters: Field = {
  ...inputField('Parameters that override those of its monitors. Null for none.', {
    name: 'GslbPoolMemberParametersInput',
    description: "Parameters that override those of a member's monitors. All of its monitors must accept them.",
    oneOf: true,
    fields: {
      ...Object.fromEntries(
        types
          // OpenStack parameters belong to the monitor alone.
          .filter(({ checkType }) => !checkType.startsWith('NEUTRON'))
          .map(({ key, checkType, object, fields }) => [
            key,
            inputField(`For monitors of type ${checkType}.`, {
              name: `${object.replace(/Parameters$/, 'Overrides')}Input`,
              description: `Parameters of checks of type ${checkType} that a member overrides.`,
              fields: Object.fromEntries(
                Object.entries(fields).map(([name, field]) => [name, { ...withoutDefault(field), required: false }]),
              ),
            }),
          ]),
      ),
      plugin,
    },
  }),
  schema: { type: 'object' },
};

export function shownParametersField(description: string) {
  return { name: 'parameters', type: 'GslbCheckParameters', description };
}

/** SDL of the objects and their union. */
export function parametersText(): string {
  const objects = types.map(({ checkType, object, fields }) => {
    const shown = Object.entries(fields).map(
      ([name, field]) => [name, { ...withoutDefault(field), required: false }] as const,
    );
    return `${quoted(`Parameters of checks of type ${checkType}. Null where a member overrides nothing.`)}\ntype ${object} {\n${fieldsText(Object.fromEntries(shown))}}\n`;
  });
  return `${objects.join('\n')}
"Parameters of checks of a plugin that is not part of Tidegate."
type GslbPluginParameters {
  "The parameters, by the schema of the plugin."
  values: JSON!
  "JSON Schema (draft 7) of \`values\`. Null for a member, and if no checker has the plugin now."
  schema: JsonSchema
}

"Parameters of checks, by their type."
union GslbCheckParameters = ${[...types.map(({ object }) => object), 'GslbPluginParameters'].join(' | ')}
`;
}

type Given = Readonly<Record<string, JsonValue | undefined>>;

/** The parameters of an input in their stored form, with their check type. */
export function storedParameters(
  input: Given,
  { keepsDefaults }: { readonly keepsDefaults: boolean },
): { readonly parameters: JsonValue; readonly parametersFor: string } {
  const [[key, values] = ['plugin', {}]] = Object.entries(input);
  const type = byKey.get(key);
  if (type === undefined) return { parameters: values ?? {}, parametersFor: 'PLUGIN' };
  const given = Object.entries(values as Given).flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    const usual = type.fields[name]?.default;
    if (!keepsDefaults && usual !== undefined && canonicalJson(usual) === canonicalJson(value)) return [];
    return [[type.stored.get(name) ?? name, value] as const];
  });
  return { parameters: Object.fromEntries(given), parametersFor: type.checkType };
}

/** The path of a stored parameter in the input. */
export function parametersPath(checkType: string, [first, ...rest]: readonly string[]): readonly string[] {
  const type = byType.get(checkType);
  if (first === undefined) return ['parameters'];
  const shown = [...(type?.stored ?? [])].find(([, stored]) => stored === first)?.[0] ?? first;
  return ['parameters', type?.key ?? 'plugin', shown, ...rest];
}

/** The entry of the input for a check type. Undefined if it has no parameters. */
export function parametersKey(checkType: string): string | undefined {
  return checkType === 'PLUGIN' ? 'plugin' : byType.get(checkType)?.key;
}

/** Parameters as the graph shows them. Null if the type has none. `filled`: with defaults for parameters that are not stored. */
export function shownParameters(
  checkType: string,
  parameters: JsonObject,
  { filled }: { readonly filled: boolean },
): (JsonObject & { readonly __typename: string }) | null {
  if (checkType === 'PLUGIN') return { __typename: 'GslbPluginParameters', values: parameters };
  const type = byType.get(checkType);
  if (type === undefined) return null;
  const values = [...type.stored].map(
    ([name, stored]) => [name, parameters[stored] ?? (filled ? type.fields[name]?.default : null) ?? null] as const,
  );
  return { __typename: type.object, ...Object.fromEntries(values) };
}

/**
 * Stored parameters as an input gives them: the entry of their type. `filled`: with defaults for parameters that are not stored.
 * Null if there are none.
 */
export function parametersInput(
  checkType: string,
  parameters: JsonObject,
  { filled }: { readonly filled: boolean },
): JsonObject | null {
  const shown = shownParameters(checkType, parameters, { filled });
  if (shown === null) return null;
  const { __typename: _, values, ...rest } = shown;
  if (checkType === 'PLUGIN') return values === undefined ? null : { plugin: values };
  const given = Object.entries(rest).filter(([, value]) => value !== null);
  const key = byType.get(checkType)?.key;
  return key === undefined || given.length === 0 ? null : { [key]: Object.fromEntries(given) };
}

/** The check type of parameters that were stored without it. */
export function typeOfParameters(parameters: JsonObject): string {
  const names = Object.keys(parameters);
  const found = types.find(({ stored }) => names.every((name) => [...stored.values()].includes(name)));
  return found?.checkType ?? 'PLUGIN';
}
