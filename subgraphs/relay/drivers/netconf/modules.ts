// The YANG modules that a backend's paths and values may name: the modules of its options, and the modules of static routes (RFC
// 8349).

import type { BackendContext, JsonObject } from '../driver.ts';
import { isObject } from '../json.ts';

/** A node's name, and the module that has it. */
export interface Node {
  readonly module: string;
  readonly name: string;
}

/** Namespaces by module. */
export type Modules = Readonly<Record<string, string>>;

export const routing = {
  core: 'ietf-routing',
  ipv4: 'ietf-ipv4-unicast-routing',
  ipv6: 'ietf-ipv6-unicast-routing',
} as const;

const known: Modules = Object.fromEntries(
  Object.values(routing).map((name) => [name, `urn:ietf:params:xml:ns:yang:${name}`]),
);

/** YANG identifiers (RFC 7950, section 6.2) that can be prefixes of XML; `nc` is the protocol's own. */
export const moduleName = '(?![xX][mM][lL])(?!nc[:$])[A-Za-z_][A-Za-z0-9_.-]{0,63}';

export const modulesOption: JsonObject = {
  type: 'object',
  propertyNames: {
    pattern: `^(?!nc$)${moduleName}$`,
    description: 'The name of a YANG module: at most 64 letters, digits and _ . -, a letter or _ first; not nc.',
  },
  additionalProperties: {
    type: 'string',
    pattern: '^[!-~]{1,255}$',
    description: "The module's namespace: a URI of at most 255 characters.",
  },
  maxProperties: 64,
  default: {},
  description:
    'The YANG modules of paths and values, and their namespaces, for example {"acme-vpn": "urn:acme:vpn"}. Those of RFC 8349 need not be named.',
};

export function modulesOf({ options }: Pick<BackendContext, 'options'>): Modules {
  const own = isObject(options.modules) ? options.modules : {};
  return { ...known, ...(own as Modules) };
}

/** For an unknown module, returns a namespace that no server has. So the server refuses the module if it was not refused before. */
export function namespaceOf(module: string, modules: Modules): string {
  return Object.hasOwn(modules, module) ? (modules[module] ?? '') : `urn:tidegate:unknown-module:${module}`;
}

/** Undefined if no module has it. */
export function moduleWith(namespace: string, modules: Modules): string | undefined {
  return Object.entries(modules).find(([, each]) => each === namespace)?.[0];
}
