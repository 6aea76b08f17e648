// A backend's options: a driver's settings beyond address and credentials. Every driver has `transport` and `ports`; the rest is
// specific.
import { validateObject } from '../../../platform/input/json-schema.ts';
import type { Driver, JsonObject, TransportKind, WireCall } from './driver.ts';

/** The wires of calls. */
export function transportOf(call: WireCall): TransportKind {
  if (call.kind === 'http') return 'https';
  return call.kind === 'ovsdb' || call.kind === 'netconf' ? call.kind : 'ssh';
}

/** The proof of identity is the host key for protocols over SSH, and a certificate for all others. */
export function provesByHostKey(kind: TransportKind): boolean {
  return kind === 'ssh' || kind === 'netconf';
}

/** The schema of a driver's options; `own` are the specific ones. */
export function optionsSchema(
  ports: Driver['ports'],
  own: JsonObject = {},
  required: readonly string[] = [],
): JsonObject {
  const kinds = Object.keys(ports);
  const port = { type: 'integer', minimum: 1, maximum: 65_535 };
  return {
    type: 'object',
    properties: {
      transport: {
        type: 'string',
        enum: kinds,
        default: kinds[0],
        description: "The protocol of most calls. It uses the backend's port.",
      },
      ports: {
        type: 'object',
        description: 'The ports of the other protocols. Default: their usual ports.',
        properties: Object.fromEntries(kinds.map((kind) => [kind, port])),
        additionalProperties: false,
      },
      ...own,
    },
    required,
    additionalProperties: false,
  };
}

/** Options that were checked, with the driver's defaults. */
export function withDefaults(value: unknown, driver: Driver | undefined): JsonObject {
  const checked = driver === undefined ? undefined : validateObject(driver.optionsSchema, value);
  return checked?.ok === true ? checked.args : (value as JsonObject);
}

/** The backend's main wire. */
export function mainTransport(driver: Driver, options: JsonObject): TransportKind {
  return (options.transport ?? Object.keys(driver.ports)[0]) as TransportKind;
}

/** The port of a wire; undefined when the driver does not support it. */
export function portOf(
  driver: Driver,
  backend: { readonly port: number; readonly options: JsonObject },
  kind: TransportKind,
): number | undefined {
  if (kind === mainTransport(driver, backend.options)) return backend.port;
  const ports = backend.options.ports as Partial<Record<TransportKind, number>> | undefined;
  return ports?.[kind] ?? driver.ports[kind];
}
