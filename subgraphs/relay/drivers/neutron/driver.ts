// OpenStack Neutron: Networking API v2.0 with Keystone tokens (Identity API v3). A backend is one project's view of one Neutron,
// whose own policy decides what the user may do. Tested against Neutron 21, networking-sfc 15 and Keystone 22 (Zed).

import { defineDriver } from '../define-driver.ts';
import type { Health, HttpReply } from '../driver.ts';
import { call, readAnswer } from './api.ts';
import type { Kind } from './kind.ts';
import { operationsOf } from './kind-operations.ts';
import { readerOf } from './kind-reader.ts';
import { network, subnet } from './networks.ts';
import { floatingIp, port } from './ports.ts';
import { router, routerInterfaceOperations, routerInterfaceReader } from './routers.ts';
import { securityGroup, securityGroupRule } from './security-groups.ts';
import { flowClassifier, portChain, portPair, portPairGroup, serviceGraph } from './service-chains.ts';
import { sessions } from './sessions.ts';
import { typedCalls } from './typed-calls.ts';
import { typedObjects } from './typed-objects.ts';

const kinds: readonly Kind[] = [
  ...[network, subnet, port, router, securityGroup, securityGroupRule, floatingIp],
  ...[portPair, portPairGroup, flowClassifier, portChain, serviceGraph],
];
const operations = [...kinds.flatMap(operationsOf), ...routerInterfaceOperations];

/** Neutron reports no version of its own; listing its API resources proves that the token is valid. */
const health: Health<HttpReply> = {
  render: (context) => call(context, 'GET', ''),
  interpret(reply) {
    const answer = readAnswer(reply);
    if (answer.kind !== 'object' || !Array.isArray(answer.object.resources)) return undefined;
    return { softwareVersion: 'Networking API v2.0', serial: null };
  },
};

const word = { type: 'string', minLength: 1, maxLength: 64, pattern: '^[^\\p{C}]+$' } as const;
const domain = { ...word, default: 'Default' } as const;

export const neutron = defineDriver({
  name: 'neutron',
  family: 'NETWORK',
  summary: 'One project of OpenStack Neutron.',
  versions: 'Networking API v2.0, Identity API v3',
  triedAgainst: 'real neutron-server 21, networking-sfc 15 and Keystone 22',
  ports: { https: 9_696 },
  options: {
    properties: {
      authUrl: {
        type: 'string',
        pattern: '^https://(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?$',
        maxLength: 255,
        description:
          'The URL of Keystone with its version, for example https://keystone.example:5000/v3. The relay logs in nowhere else.',
      },
      authCertificateSha256: {
        type: 'string',
        pattern: '^SHA256:[A-Za-z0-9+/]{43}$',
        description:
          "SHA-256 of Keystone's certificate. Needed when it differs from the backend's and no trusted authority signed it.",
      },
      login: {
        type: 'string',
        enum: ['password', 'applicationCredential'],
        default: 'password',
        description:
          "How the relay logs in: with a user's name and password, or with an application credential, whose id is the user name and whose secret is the password.",
      },
      project: { ...word, description: 'The name of the OpenStack project.' },
      projectDomain: { ...domain, description: 'The name of the project domain.' },
      userDomain: { ...domain, description: 'The name of the user domain.' },
      basePath: {
        type: 'string',
        pattern: '^(?:/[A-Za-z0-9._~-]+)*$',
        maxLength: 200,
        default: '',
        description: 'The path in front of /v2.0, for example /networking, when Neutron is not at the root.',
      },
    },
    required: ['authUrl', 'project'],
  },
  // The server waits for its agents for rpc_response_timeout, 60 s by default (Neutron's configuration reference).
  actsForMs: 60_000,
  scopeOptions: ['project', 'projectDomain'],
  credentialFields: ['username', 'password'],
  operations,
  resources: {
    ...Object.fromEntries(kinds.map((kind) => [kind.resource, readerOf(kind)])),
    'router-interface': routerInterfaceReader,
  },
  ownership: {
    ...Object.fromEntries(kinds.map((kind) => [kind.resource, { by: 'ID' } as const])),
    'router-interface': { by: 'KEY', because: 'it is named by the ids of its router and its subnet' },
  },
  health,
  https: sessions,
  typed: typedCalls,
  objects: typedObjects,
});
