// Typed mutations of switches, and of controllers that provision many of them.
import type { JsonObject } from '../drivers/driver.ts';
import { enumField, listField, nameField, required, textField, vlanField } from './fields.ts';
import type { TypedMutation } from './typed-mutation.ts';

const port = textField('The port, as the switch names it, for example 1/4 or eth1.', 32, 1);
const scope = textField('The place on the switch, for example a bridge; left out: the whole switch.', 63, 1);

const portVlans = {
  mode: required(
    enumField('How the port treats VLANs.', {
      name: 'SwitchPortMode',
      description: 'How a switch port treats VLANs.',
      values: {
        ACCESS: 'One VLAN, untagged.',
        TRUNK: 'Several VLANs, tagged.',
        HYBRID: 'One VLAN untagged, others tagged.',
      },
    }),
  ),
  vlan: vlanField('ACCESS and HYBRID: the untagged VLAN.'),
  allowedVlans: listField(
    vlanField('A VLAN.'),
    'TRUNK and HYBRID: the tagged VLANs, which replace the present ones.',
    4_094,
  ),
} as const;

function portVlanFaults(input: JsonObject) {
  const faults = [];
  if ((input.vlan === undefined) === (input.mode !== 'TRUNK'))
    faults.push({ path: ['vlan'], message: 'vlan is for ACCESS and HYBRID, which need it' });
  if ((input.allowedVlans === undefined) === (input.mode !== 'ACCESS'))
    faults.push({ path: ['allowedVlans'], message: 'allowedVlans is for TRUNK and HYBRID, which need it' });
  return faults;
}

const devices = listField(textField('A switch.', 255, 1), 'The switches, by their addresses in the controller.', 100);

export const switchMutations: readonly TypedMutation[] = [
  {
    name: 'switchVlanCreate',
    family: 'SWITCH',
    summary: 'Creates a VLAN on a switch.',
    shareable: true,
    fields: { vlan: required(vlanField('Its number.')), name: nameField('Its name; left out: none.') },
  },
  {
    name: 'switchPortVlanSet',
    family: 'SWITCH',
    summary: 'Sets which VLANs a switch port carries.',
    fields: { port: required(port), scope, ...portVlans },
    refine: portVlanFaults,
  },
];

export const switchControllerMutations: readonly TypedMutation[] = [
  {
    name: 'switchControllerVlanCreate',
    family: 'SWITCH_CONTROLLER',
    summary: 'Creates a VLAN on switches, by their controller; a job, ACCEPTED at first.',
    shareable: true,
    fields: {
      vlan: required(vlanField('Its number.')),
      name: nameField('Its name; left out: none.'),
      devices: required(devices),
    },
  },
  {
    name: 'switchControllerPortVlanSet',
    family: 'SWITCH_CONTROLLER',
    summary: 'Sets which VLANs a switch port carries, by their controller; a job, ACCEPTED at first.',
    fields: {
      device: required(textField('The switch, by its address in the controller.', 255, 1)),
      port: required(port),
      ...portVlans,
    },
    refine: portVlanFaults,
  },
];
