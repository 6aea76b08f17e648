// Settings of the roles of an object storage cluster.
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { listSetting } from '../../../platform/process/list-setting.ts';

const path = z.string().refine(isAbsolute, 'not an absolute path');
const port = z.coerce.number().int().min(0).max(65_535);
const host = z.string().min(1);

/** Other clusters refuse tokens that are valid for longer (login/cluster-tokens.ts). */
const longestTokenMinutes = 24 * 60;

export const clusterSettings = {
  'objectStore.cluster': z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)
    .optional()
    .describe('role objectserver: name of its cluster (objectClusterCreate)'),
  'objectStore.folder': path
    .default('/var/lib/tidegate/objects')
    .describe("role objectserver: folder of its cluster's blobs, the same for all servers of the cluster"),
  'objectStore.keepFreeMiB': z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(1_024)
    .describe('role objectserver: uploads are refused (507) when less than this is free on the disk of that folder'),
  'objectStore.maxIsolationHours': z.coerce
    .number()
    .min(0.01)
    .max(8_760)
    .default(24)
    .describe(
      'role objectserver: refuses users after this long without the control plane, because revocations would not arrive',
    ),
  'objectStore.scrubKiBPerSecond': z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000_000)
    .default(4_096)
    .describe(
      'role objectserver: highest rate at which it reads all blobs of its disk again to find damaged ones; 0 turns this off',
    ),
  'objectStore.scrubDays': z.coerce
    .number()
    .min(0.01)
    .max(365)
    .default(14)
    .describe('role objectserver: one reading of all blobs takes at least this long'),
  'objectServer.peerHost': host
    .default('127.0.0.1')
    .describe('role objectserver: address at which servers of other clusters connect, by mutual TLS'),
  'objectServer.peerPort': port.default(9_443).describe('role objectserver: port for them; 0 takes a free one'),
  'objectServer.s3Host': host.default('127.0.0.1').describe('role objectserver: address at which users connect (S3)'),
  'objectServer.s3Port': port.default(9_000).describe('role objectserver: port for them; 0 takes a free one'),
  'objectServer.s3Names': listSetting(z.hostname().toLowerCase(), 64).describe(
    "role objectserver: host names by which users reach it, separated by commas; always accepted besides: the cluster's s3Urls, addresses, and names without a dot",
  ),
  'objectServer.s3CertFile': path
    .optional()
    .describe('role objectserver: certificate (PEM) for users; default: they connect without TLS'),
  'objectServer.s3KeyFile': path.optional().describe('role objectserver: private key (PEM) of that certificate'),
  'objectServer.accessLog': z
    .union([z.boolean(), z.stringbool()])
    .default(true)
    .describe('role objectserver: log each request of a user, at level info'),
  'objectServer.openUploads': z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .describe('role objectserver: highest number of unfinished multipart uploads in one container'),
  'objectServer.region': z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/)
    .default('us-east-1')
    .describe(
      "roles objectserver and object-storage: region in the signatures of users' requests and of presigned URLs",
    ),
  'objectResolver.host': host
    .default('127.0.0.1')
    .describe(
      'role objectresolver: address, reachable from its cluster, at which the services of the cluster connect, by mutual TLS',
    ),
  'objectResolver.port': port.default(9_445).describe('role objectresolver: port for them; 0 takes a free one'),
  'objectController.host': host
    .default('127.0.0.1')
    .describe(
      "role objectcontroller: address at which the servers of its cluster and other clusters' controllers connect, by mutual TLS; both must reach it",
    ),
  'objectController.port': port.default(9_444).describe('role objectcontroller: port for them; 0 takes a free one'),
  'objectController.tokenMinutes': z.coerce
    .number()
    .int()
    .min(1)
    .max(longestTokenMinutes)
    .default(60)
    .describe(
      "role objectcontroller: minutes for which a user's token is valid; after a user's rights end, a token may stay valid this long",
    ),
  'objectController.controlPlaneUrls': listSetting(z.url({ protocol: /^wss$/ }), 16).describe(
    'role objectcontroller: wss://HOST:PORT/link of the processes with the role object-storage (objectStorage.linkPort), separated by commas; tried in turn',
  ),
} as const;
