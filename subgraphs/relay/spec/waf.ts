// Typed mutations of web application firewalls: the protected servers, and the protection's settings.
import {
  addressField,
  enumField,
  integerField,
  nameField,
  portField,
  required,
} from '../../../platform/graph/fields.ts';
import type { TypedMutation } from './typed-mutation.ts';

const family = 'WAF';
const scope = nameField('The part of the device, for example a partition. Default: the usual one of the driver.');

export const wafMutations: readonly TypedMutation[] = [
  {
    name: 'wafModeSet',
    family,
    summary: 'Sets whether a site or policy blocks attacks, only reports them, or ignores them.',
    fields: {
      policy: required(nameField('The name of the site or policy on the device.')),
      scope,
      mode: required(
        enumField('The action on an attack.', {
          name: 'WafMode',
          description: 'The action of a web application firewall on an attack.',
          values: {
            BLOCKING: 'Blocks and reports the attack.',
            DETECTION: 'Only reports the attack.',
            OFF: 'Ignores the attack.',
          },
        }),
      ),
    },
  },
  {
    name: 'wafPoolCreate',
    family,
    summary: 'Creates a pool of servers to which a web application firewall sends requests.',
    shareable: true,
    makes: { type: 'WafPool', description: 'A pool of servers of a web application firewall, as it is wanted.' },
    fields: {
      name: required(nameField('Its name on the device.')),
      scope,
      monitor: nameField('The name of the monitor that checks its members. Default: none.'),
    },
  },
  {
    name: 'wafPoolMemberAdd',
    family,
    summary: 'Adds a server to a pool.',
    makes: { type: 'WafPoolMember', description: 'A server in a pool of a web application firewall, as it is wanted.' },
    fields: {
      pool: required(nameField('The name of the pool on the device.')),
      scope,
      address: required(addressField('The address at which the device reaches the server.')),
      port: required(portField('The port at which the server answers.')),
      ratio: { ...integerField('Its weight in the distribution of requests, 1 to 100.', 1, 100), default: 1 },
    },
  },
];
