// The device itself: version, serial number (chassisId of the device that answers), saving the configuration. iControl REST
// Reference 13.1: /mgmt/tm/sys/version, /mgmt/tm/cm/device, /mgmt/tm/sys/config.

import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import type { Config } from './config.ts';
import { selfLink } from './kinds/kind.ts';
import { json, mcpRefusal, readBody } from './rest.ts';

interface DeviceIdentity {
  readonly hostname: string;
  readonly serial: string;
  readonly version: string;
}

export function serveSystem(
  request: DeviceRequest,
  segments: readonly string[],
  config: Config,
  device: DeviceIdentity,
): DeviceAnswer | undefined {
  switch (`${request.method} ${segments.join('/')}`) {
    case 'GET sys/version':
      return json(200, versionOf(device));
    case 'GET cm/device':
      return json(200, devicesOf(device));
    case 'POST sys/config':
      return save(request, config);
    default:
      return undefined;
  }
}

function save(request: DeviceRequest, config: Config): DeviceAnswer {
  const { command } = readBody(request.body);
  if (command !== 'save') throw mcpRefusal(400, `"${String(command)}" unknown command`, 26_214_401);
  config.unsaved = false;
  return json(200, { kind: 'tm:sys:config:savestate', command: 'save' });
}

function versionOf(device: DeviceIdentity) {
  const described = {
    Build: '0.0.4',
    Date: 'Fri Jul 13 16:39:51 PDT 2018',
    Edition: 'Final',
    Product: 'BIG-IP',
    Title: 'Main Package',
    Version: device.version,
  };
  const entries = Object.fromEntries(Object.entries(described).map(([name, description]) => [name, { description }]));
  return {
    kind: 'tm:sys:version:versionstats',
    selfLink: selfLink('sys/version'),
    entries: { 'https://localhost/mgmt/tm/sys/version/0': { nestedStats: { entries } } },
  };
}

/** A pair: each member of a device group lists the other, and `selfDevice` marks the one that answers. */
function devicesOf({ hostname, serial, version }: DeviceIdentity) {
  const describe = (name: string, chassisId: string, self: boolean) => ({
    kind: 'tm:cm:device:devicestate',
    name,
    partition: 'Common',
    fullPath: `/Common/${name}`,
    generation: 1,
    selfLink: selfLink(`cm/device/~Common~${name}`),
    chassisId,
    edition: 'Final',
    failoverState: self ? 'active' : 'standby',
    hostname: name,
    marketingName: 'BIG-IP Virtual Edition',
    platformId: 'Z100',
    product: 'BIG-IP',
    selfDevice: String(self),
    version,
  });
  return {
    kind: 'tm:cm:device:devicecollectionstate',
    selfLink: selfLink('cm/device'),
    items: [describe('peer.example.com', 'f5-peer-0001', false), describe(hostname, serial, true)],
  };
}
