// Any router with a NETCONF server (RFC 6241) over an SSH subsystem (RFC 6242): whatever its YANG modules have, and static routes by the
// core routing model (RFC 8349).

import { defineDriver } from '../define-driver.ts';
import type { DriverOperation, Health, NetconfReply } from '../driver.ts';
import { dataRead, entry, entryCreate, entryDelete, entryMerge, entryReplace } from './entries.ts';
import { modulesOption } from './modules.ts';
import { routeCreate, routeDelete, routeList, staticProtocol, staticRoute, typedCalls } from './routes.ts';
import { typedObjects } from './typed-objects.ts';

const operations: readonly DriverOperation[] = [
  dataRead,
  entryCreate,
  entryMerge,
  entryReplace,
  entryDelete,
  routeList,
  routeCreate,
  routeDelete,
];

const systemNamespace = 'urn:ietf:params:xml:ns:yang:ietf-system';

/** RFC 7317, section 3.3. A server without ietf-system answers with no data. */
const health: Health<NetconfReply> = {
  render: () => ({
    kind: 'netconf',
    source: 'state',
    filter: `<system-state xmlns="${systemNamespace}"><platform/></system-state>`,
    modules: {},
  }),
  interpret(reply) {
    if (reply.step !== 'done' || reply.truncated || reply.data === null) return undefined;
    const [state] = reply.data.children.filter(({ namespace }) => namespace === systemNamespace);
    const platform = state?.children.find(({ name }) => name === 'platform')?.children ?? [];
    const said = ['os-name', 'os-release', 'os-version', 'machine'].flatMap((name) => {
      const text = platform.find((leaf) => leaf.name === name)?.text.trim() ?? '';
      return text === '' ? [] : [text];
    });
    return { softwareVersion: `NETCONF ${said.join(' ')}`.trim().slice(0, 255), serial: null };
  },
};

export const netconf = defineDriver({
  name: 'netconf',
  family: 'ROUTER',
  summary: 'Devices with a NETCONF server, by their YANG modules, over SSH.',
  versions: 'NETCONF 1.0 and 1.1; static routes by ietf-routing (RFC 8022, RFC 8349)',
  triedAgainst: 'real netconfd 2.13 (OpenYuma) behind OpenSSH 9.2; ncclient as the other client',
  ports: { netconf: 830 },
  options: {
    properties: {
      modules: modulesOption,
      unlockedEdits: {
        type: 'string',
        enum: ['discard', 'refuse'],
        default: 'discard',
        description:
          'What happens to edits that another client has left in the candidate without a lock: they are discarded, or calls that change something are refused. They are never committed.',
      },
      staticProtocol,
    },
  },
  harmlessOptions: ['unlockedEdits'],
  // No request is under way without its session: RFC 6241, section 8.3.4 ends a session's edits with it. A commit that the server
  // has read is carried out at once. A device may need time for it, and none documents how long.
  actsForMs: 60_000,
  credentialFields: ['username', 'password', 'privateKey', 'passphrase'],
  operations,
  resources: { entry, 'static-route': staticRoute },
  ownership: { entry: { by: 'SETTINGS' }, 'static-route': { by: 'MARK' } },
  health,
  typed: typedCalls,
  objects: typedObjects,
});
