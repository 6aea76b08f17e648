// Provisioning templates: command lines with arguments, stored in NEO. NVIDIA NEO REST API Guide 2.7.20, Templates and
// Provisioning; a template's arguments are in its text.

import { argumentsSchema, isObject, plainRead } from '../json.ts';
import { jobOperation, runTemplate } from './actions.ts';
import { get, type NeoOperation, objectsIn, readOutcome } from './rest.ts';
import { devices, templateArguments, templateName } from './schema.ts';
import { devicesIn } from './systems.ts';

const templatesPath = '/neo/app/provisioning_templates';

export const templateList: NeoOperation = {
  name: 'template.list',
  summary: "Lists NEO's provisioning templates.",
  ...plainRead,
  render: () => get(templatesPath),
  interpret: (reply) =>
    readOutcome(reply, (value) => {
      const templates = objectsIn(value);
      const shown = templates?.map(({ title = null, description = null, tags = null }) => ({
        title,
        description,
        tags,
      }));
      return shown && { templates: shown };
    }),
};

export const templateGet: NeoOperation = {
  name: 'template.get',
  summary: 'Reads a provisioning template from NEO.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ template: templateName }, ['template']),
  example: { template: 'Set-Access-VLAN-Port' },
  render: (args) => get(`${templatesPath}/${encodeURIComponent(String(args.template))}`),
  interpret: (reply) => readOutcome(reply, (value) => (isObject(value) ? value : undefined)),
};

export const templateRun: NeoOperation = jobOperation({
  name: 'template.run',
  summary: 'Runs a template on switches. NEO runs a job, so the operation is ACCEPTED at first.',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema({ template: templateName, devices, arguments: templateArguments }, [
    'template',
    'devices',
  ]),
  example: { template: 'Save-Configuration', devices: ['10.224.15.29'] },
  object: (args) => ({ resource: 'switch', scope: '', key: devicesIn(args.devices).join(',') }),
  call: (args) => runTemplate(String(args.template), devicesIn(args.devices), args.arguments ?? {}),
});
