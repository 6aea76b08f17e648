// Typed mutations of web application firewalls: what they protect, and how strictly.
import { addressField, enumField, integerField, nameField, portField, required } from './fields.ts';
import type { TypedMutation } from './typed-mutation.ts';

const family = 'WAF';
const scope = nameField('The place on the device, for example a partition; left out: the usual one of the driver.');

export const wafMutations: readonly TypedMutation[] = [
  {
    name: 'wafModeSet',
    family,
    summary: 'Sets whether a site or policy blocks attacks, only reports them, or does nothing.',
    fields: {
      policy: required(nameField('The name of the site or policy on the device.')),
      scope,
      mode: required(
        enumField('What to do with an attack.', {
          name: 'WafMode',
          description: 'What a web application firewall does with an attack.',
          values: {
            BLOCKING: 'Blocks and reports it.',
            DETECTION: 'Reports it only.',
            OFF: 'Does nothing.',
          },
        }),
      ),
    },
  },
  {
    name: 'wafPoolCreate',
    family,
    summary: 'Creates a pool of servers that a web application firewall sends requests to.',
    shareable: true,
    fields: {
      name: required(nameField('Its name on the device.')),
      scope,
      monitor: nameField('Name of the monitor that checks its members; left out: none.'),
    },
  },
  {
    name: 'wafPoolMemberAdd',
    family,
    summary: 'Adds a server to a pool.',
    fields: {
      pool: required(nameField("The pool's name.")),
      scope,
      address: required(addressField("The server's address.")),
      port: required(portField("The server's port.")),
      ratio: integerField('Its share of requests; left out: 1.', 1, 100),
    },
  },
];
