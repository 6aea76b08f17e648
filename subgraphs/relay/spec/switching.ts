// Typed mutations of switches, and of controllers that provision many switches.

import { enumField, listField, nameField, required, textField, vlanField } from '../../../platform/graph/fields.ts';
import type { JsonObject } from '../drivers/driver.ts';
import type { TypedMutation } from './typed-mutation.ts';

const port = textField("The port's name on the switch, for example 1/4 or eth1.", 32, 1);
const scope = textField('The part of the switch, for example a bridge. Default: the whole switch.', 63, 1);

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
  vlan: vlanField('The untagged VLAN, for ACCESS and HYBRID.'),
  allowedVlans: listField(
    vlanField('A VLAN.'),
    'The tagged VLANs, for TRUNK and HYBRID. They replace the current ones.',
    4_094,
  ),
} as const;

function portVlanFaults(input: JsonObject) {
  const faults = [];
  if ((input.vlan === undefined) === (input.mode !== 'TRUNK'))
    faults.push({ path: ['vlan'], message: 'the modes ACCESS and HYBRID require vlan; TRUNK does not allow it' });
  if ((input.allowedVlans === undefined) === (input.mode !== 'ACCESS'))
    faults.push({
      path: ['allowedVlans'],
      message: 'the modes TRUNK and HYBRID require allowedVlans; ACCESS does not allow it',
    });
  return faults;
}

const devices = listField(
  textField('The address of a switch in the controller.', 255, 1),
  "The switches' addresses in the controller.",
  100,
);

export const switchMutations: readonly TypedMutation[] = [
  {
    name: 'switchVlanCreate',
    family: 'SWITCH',
    summary: 'Creates a VLAN on a switch.',
    shareable: true,
    makes: { type: 'SwitchVlan', description: 'A VLAN on a switch, as it is wanted.' },
    fields: { vlan: required(vlanField('Its VLAN id.')), name: nameField('Its name. Default: none.') },
  },
  {
    name: 'switchPortVlanSet',
    family: 'SWITCH',
    summary: 'Sets the VLANs that a switch port carries.',
    makes: { type: 'SwitchPortVlans', description: 'The VLANs that a switch port carries, as they are wanted.' },
    fields: { port: required(port), scope, ...portVlans },
    refine: portVlanFaults,
  },
];

export const switchControllerMutations: readonly TypedMutation[] = [
  {
    name: 'switchControllerVlanCreate',
    family: 'SWITCH_CONTROLLER',
    summary:
      'Creates a VLAN on switches through their controller. The controller runs a job, so the operation is ACCEPTED at first.',
    shareable: true,
    makes: { type: 'SwitchControllerVlan', description: 'A VLAN on switches of a controller, as it is wanted.' },
    fields: {
      vlan: required(vlanField('Its VLAN id.')),
      name: nameField('Its name. Default: none.'),
      devices: required(devices),
    },
  },
  {
    name: 'switchControllerPortVlanSet',
    family: 'SWITCH_CONTROLLER',
    summary:
      "Sets the VLANs that a switch port carries, through the switch's controller. The controller runs a job, so the operation is ACCEPTED at first.",
    makes: {
      type: 'SwitchControllerPortVlans',
      description: 'The VLANs that a port of a controlled switch carries, as they are wanted.',
    },
    fields: {
      device: required(textField("The switch's address in the controller.", 255, 1)),
      port: required(port),
      ...portVlans,
    },
    refine: portVlanFaults,
  },
];
