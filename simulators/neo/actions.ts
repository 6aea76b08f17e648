// NEO's writes: command lines, templates, and templates for ports. Each is answered at once with the job that it became. NVIDIA
// NEO REST API Guide 2.7.20, Provisioning and Port Provisioning.

import type { DeviceAnswer } from '../support/tls-server.ts';
import type { Switch } from './fabric.ts';
import type { Jobs } from './jobs.ts';
import { answer, isObject, type JsonObject, texts } from './json.ts';
import { runCommands } from './onyx-cli.ts';
import { fillIn, type Template } from './templates.ts';

interface Dependencies {
  readonly switches: ReadonlyMap<string, Switch>;
  readonly templates: readonly Template[];
  readonly jobs: Jobs;
}

const unreachable = 'Failed to connect to the device: Connection timed out';

/** POST /neo/actions */
export function runCli(body: JsonObject, user: string, dependencies: Dependencies): DeviceAnswer {
  const params = isObject(body.params) ? body.params : {};
  const lines = texts(params.commandline);
  if (body.action !== 'run_cli' || lines.length === 0) return answer(400, { error: 'Invalid action' });
  return provision(body, lines, 'Provisioning', user, dependencies);
}

/** POST /neo/actions/provisioning/<template> */
export function runTemplate(body: JsonObject, title: string, user: string, dependencies: Dependencies): DeviceAnswer {
  const template = dependencies.templates.find((each) => each.title === title && !each.perPort);
  if (!template) return answer(404, { error: `Template ${title} does not exist` });
  return provision(body, template.lines, 'Provisioning', user, dependencies);
}

function provision(
  body: JsonObject,
  lines: readonly string[],
  operation: string,
  user: string,
  dependencies: Dependencies,
): DeviceAnswer {
  const ips = texts(body.object_ids);
  const devices = ips.map((ip) => dependencies.switches.get(ip));
  if (ips.length === 0 || devices.some((device) => !device)) return answer(400, { error: 'Invalid object_ids' });
  const { globals, devices: locals } = argumentsOf(body);
  const subJobs = (devices as Switch[]).map((device) => {
    const own = isObject(locals[device.ip]) ? (locals[device.ip] as JsonObject) : {};
    const run = () => runFilled(device, lines, { ...globals, ...own });
    return { ip: device.ip, text: lines.join('\n\n'), run };
  });
  return take(dependencies.jobs, body, operation, user, subJobs);
}

/** POST /neo/actions/ports */
export function provisionPorts(body: JsonObject, user: string, dependencies: Dependencies): DeviceAnswer {
  const params = isObject(body.params) ? body.params : {};
  const template = dependencies.templates.find((each) => each.title === params.template_name && each.perPort);
  const ports = Object.entries(isObject(body.ports) ? body.ports : {});
  if (body.action !== 'port_provisioning' || !template)
    return answer(400, { error: 'Invalid action or template_name' });
  if (ports.length === 0 || ports.some(([ip]) => !dependencies.switches.has(ip)))
    return answer(400, { error: 'Invalid ports' });
  const { globals } = argumentsOf(body);
  const subJobs = ports.map(([ip, captions]) => {
    const device = dependencies.switches.get(ip) as Switch;
    const run = () => {
      for (const caption of texts(captions)) {
        const failed = runFilled(device, template.lines, { ...globals, port: caption.replace(/^Eth/, '') });
        if (failed !== undefined) return failed;
      }
      return undefined;
    };
    return { ip, text: `${template.title} ${texts(captions).join(', ')}`, run };
  });
  return take(dependencies.jobs, body, 'Port Provisioning', user, subJobs);
}

function runFilled(device: Switch, lines: readonly string[], args: JsonObject): string | undefined {
  if (!device.reachable) return unreachable;
  const filled = fillIn(lines, args);
  return filled.ok ? runCommands(device, filled.lines) : `Argument ${filled.missing} is missing`;
}

function argumentsOf(body: JsonObject): { globals: JsonObject; devices: JsonObject } {
  const params = isObject(body.params) ? body.params : {};
  const given = isObject(params.arguments) ? params.arguments : {};
  return {
    globals: isObject(given.globals) ? given.globals : {},
    devices: isObject(given.devices) ? given.devices : {},
  };
}

function take(
  jobs: Jobs,
  body: JsonObject,
  operation: string,
  createdBy: string,
  subJobs: readonly { ip: string; text: string; run: () => string | undefined }[],
): DeviceAnswer {
  const id = jobs.add({ operation, description: String(body.description ?? ''), createdBy, subJobs });
  const path = `/neo/app/jobs/${id}`;
  switch (jobs.knobs.namedIn) {
    case 'location':
      return answer(202, '', { location: path });
    case 'json':
      return answer(202, { location: path });
    case 'page': {
      const body = `<html><title>202 Accepted</title><body>The job is <a href="${path}">${path}</a></body></html>`;
      return { status: 202, headers: { 'content-type': 'text/html' }, body };
    }
  }
}
