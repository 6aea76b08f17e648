// NEO's readable resources: jobs, templates, systems, ports, VLANs. NVIDIA NEO REST API Guide 2.7.20, one page each; unknown ids
// are left out of a list, which may thus be empty.

import type { DeviceAnswer } from '../support/tls-server.ts';
import { type Switch, showPort, showSystem, showVlan } from './fabric.ts';
import type { Jobs } from './jobs.ts';
import { answer, type JsonObject } from './json.ts';
import { showTemplate, type Template } from './templates.ts';

interface Readable {
  readonly switches: ReadonlyMap<string, Switch>;
  readonly templates: readonly Template[];
  readonly jobs: Jobs;
  readonly version: string;
}

/** Undefined if there is no such path. */
export function readResource(
  [neo, area, collection, id, sub]: readonly string[],
  query: URLSearchParams,
  neoState: Readable,
): DeviceAnswer | undefined {
  if (neo !== 'neo') return undefined;
  switch (`${area}/${collection}`) {
    case 'app/jobs':
      return answer(200, readJobs(id, query, neoState.jobs));
    case 'app/version':
      // The guide's own spelling.
      return answer(200, { disply_string: neoState.version, major: 1, minor: 0, patch: 2, update: 0 });
    case 'app/provisioning_templates':
      return readTemplates(id, neoState.templates);
    case 'resources/systems':
      return answer(200, systems(neoState, id).map(showSystem));
    case 'resources/ports':
      return answer(200, readPorts(id, sub, systems(neoState, query.get('system_ids'))));
    case 'resources/vlans':
      return answer(200, systems(neoState, query.get('system_ids')).flatMap(vlansOf));
    default:
      return undefined;
  }
}

/** By ids such as `10.0.0.1.system`, separated by commas. Undefined or null: all. */
function systems({ switches }: Readable, ids: string | null | undefined): readonly Switch[] {
  const wanted = ids?.split(',');
  return [...switches.values()].filter((device) => !wanted || wanted.includes(`${device.ip}.system`));
}

function readJobs(ids: string | undefined, query: URLSearchParams, jobs: Jobs): readonly JsonObject[] | JsonObject {
  const parent = query.get('parent_id');
  const objects = query.get('object_ids');
  if (ids !== undefined) {
    const found = jobs.byIds(ids.split(','));
    const [only] = found;
    return only && !ids.includes(',') && jobs.knobs.singleJobAs === 'object' ? only : found;
  }
  if (parent === 'null') return jobs.parents();
  if (parent !== null) return jobs.subJobsOf(parent);
  return objects === null ? jobs.all() : jobs.ofSystems(objects.split(','));
}

function readTemplates(title: string | undefined, templates: readonly Template[]): DeviceAnswer | undefined {
  if (title === undefined)
    return answer(
      200,
      templates.map((each) => showTemplate(each, false)),
    );
  const template = templates.find((each) => each.title === title);
  return template && answer(200, showTemplate(template, true));
}

function readPorts(id: string | undefined, sub: string | undefined, devices: readonly Switch[]): readonly JsonObject[] {
  const ports = devices.flatMap((device) => [...device.ports.values()].map((port) => ({ device, port })));
  if (id === undefined) return ports.map(({ device, port }) => showPort(device, port));
  const one = ports.find(({ device, port }) => showPort(device, port).id === id);
  if (!one) return [];
  if (sub !== 'vlans') return [showPort(one.device, one.port)];
  return vlansOf(one.device).filter((vlan) => (vlan.portIDs as readonly string[]).includes(id));
}

const vlansOf = (device: Switch): readonly JsonObject[] =>
  [...device.vlans].map(([id, name]) => showVlan(device, id, name));
