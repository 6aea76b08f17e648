// Routers, and the subnets that they connect.

import type { DriverOperation, HttpReply, JsonObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, isObject } from '../json.ts';
import { call, membersOf, queryOf, readAnswer, removalOutcome, writeOutcome } from './api.ts';
import type { Kind } from './kind.ts';
import { adminStateUp, uuid } from './schema.ts';

const gatewayTo = {
  type: ['string', 'null'],
  pattern: uuid('').pattern,
  description: 'The external network of its gateway; null for none.',
} as const;

export const router: Kind = {
  ...{ resource: 'router', prefix: 'router', one: 'a router' },
  ...{ path: 'routers', collection: 'routers', member: 'router' },
  key: { by: 'name' },
  properties: { adminStateUp, externalNetwork: uuid('the external network of its gateway') },
  lists: {},
  own: ['adminStateUp'],
  required: [],
  changeable: { adminStateUp, externalNetwork: gatewayTo },
  example: { name: 'tenant-42-gw' },
  changeExample: { adminStateUp: false },
  toNative: ({ adminStateUp: up, externalNetwork }) =>
    given({
      admin_state_up: up,
      external_gateway_info:
        externalNetwork === undefined ? undefined : externalNetwork === null ? {} : { network_id: externalNetwork },
    }),
  values: ({ admin_state_up, external_gateway_info: gateway }) =>
    given({
      adminStateUp: admin_state_up,
      externalNetwork: isObject(gateway) ? (gateway.network_id ?? null) : gateway === null ? null : undefined,
    }),
};

type InterfaceArguments = { router: string; subnet: string };

const schema = argumentsSchema({ router: uuid('the router'), subnet: uuid('the subnet') }, ['router', 'subnet']);
const example = {
  router: '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11',
  subnet: '7c0d5d5c-3c53-4c54-8f3b-0a3f5c1d2e4f',
};
const object = (args: InterfaceArguments) => ({ resource: 'router-interface', scope: args.router, key: args.subnet });

/** The router's port on the subnet: at most one. */
const look = (args: InterfaceArguments) =>
  `ports${queryOf({ device_id: args.router, fixed_ips: `subnet_id=${args.subnet}` })}`;

function interfaceIn(reply: HttpReply, { router: owner, subnet }: InterfaceArguments) {
  const answer = readAnswer(reply);
  if (answer.kind !== 'object') return { finding: 'UNREADABLE' as const, message: answer.message };
  const ports = membersOf(answer.object, 'ports');
  if (!ports) return { finding: 'UNREADABLE' as const, message: 'Neutron did not return a list of ports.' };
  const found = ports.find((port) => port.device_id === owner && isOn(port, subnet));
  if (!found) return { finding: 'ABSENT' as const };
  return { finding: 'PRESENT' as const, ...(typeof found.id === 'string' ? { uuid: found.id } : {}) };
}

function isOn(port: JsonObject, subnet: string): boolean {
  const addresses = Array.isArray(port.fixed_ips) ? port.fixed_ips : [];
  return addresses.some((address) => isObject(address) && address.subnet_id === subnet);
}

/** Networking API v2.0, add and remove interface: the answer names the router and the subnet. */
function isAbout(answer: JsonObject, { router: owner, subnet }: InterfaceArguments): boolean {
  return answer.id === owner && answer.subnet_id === subnet;
}

const probe = {
  render: (args: InterfaceArguments, context: Parameters<typeof call>[0]) => call(context, 'GET', look(args)),
  interpret: interfaceIn,
};

const interfaceAdd: OperationSpec<InterfaceArguments, HttpReply> = {
  name: 'routerInterface.add',
  summary: 'Connects a router to a subnet.',
  category: 'USER',
  // A repetition is refused: the router has the interface already.
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: schema,
  example,
  object,
  mapping: 'creates',
  render: (args, context) =>
    call(context, 'PUT', `routers/${args.router}/add_router_interface`, { subnet_id: args.subnet }),
  interpret: (reply, args) =>
    writeOutcome(reply, ({ port_id: port, ...answer }) =>
      typeof port === 'string' && isAbout(answer, args)
        ? { state: 'SUCCEEDED', result: { ...args, port }, uuid: port }
        : undefined,
    ),
  // It has no mark: its existence is visible, but not its creator.
  probe,
};

const interfaceRemove: OperationSpec<InterfaceArguments, HttpReply> = {
  name: 'routerInterface.remove',
  summary: 'Disconnects a router from a subnet.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: schema,
  example,
  object,
  mapping: 'deletes',
  render: (args, context) =>
    call(context, 'PUT', `routers/${args.router}/remove_router_interface`, { subnet_id: args.subnet }),
  interpret: (reply, args) => removalOutcome(reply, { ...args }, (answer) => isAbout(answer, args)),
  probe,
};

export const routerInterfaceOperations = [interfaceAdd, interfaceRemove] as readonly DriverOperation[];

export const routerInterfaceReader: ResourceReader<HttpReply> = {
  lists: {},
  own: [],
  render: ({ scope, key }, context) => call(context, 'GET', look({ router: scope, subnet: key })),
  interpret: (reply, { scope, key }) => {
    const found = interfaceIn(reply, { router: scope, subnet: key });
    return found.finding === 'PRESENT' ? { ...found, values: { router: scope, subnet: key } } : found;
  },
  remove: ({ scope, key }) => ({ operation: 'routerInterface.remove', arguments: { router: scope, subnet: key } }),
};
