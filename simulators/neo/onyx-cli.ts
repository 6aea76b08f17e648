// The effect on a switch of the command lines that NEO sends it, in configuration mode. Mellanox Onyx User Manual 3.6, chapters
// VLANs and Ethernet Interfaces; the output of a failed line begins with `%`, and ends the job.

import type { Port, Switch } from './fabric.ts';

/** Runs `lines` in order until one fails; returns that line's error, if any. */
export function runCommands(device: Switch, lines: readonly string[]): string | undefined {
  /** The VLAN in whose mode the line is typed. */
  let inVlan: number | undefined;
  for (const line of lines) {
    const words = line.trim().split(/\s+/);
    const text = words.join(' ');
    const failed =
      words[0] === 'name' && inVlan !== undefined
        ? nameVlan(device, inVlan, text.slice('name '.length))
        : runCommand(device, text);
    if (failed !== undefined) return failed;
    const entered = /^vlan (\d+)$/.exec(text)?.[1];
    if (entered !== undefined) inVlan = Number(entered);
    else if (text === 'exit') inVlan = undefined;
  }
  return undefined;
}

/** Returns an error, or nothing. */
function runCommand(device: Switch, line: string): string | undefined {
  const [, no, vlanId] = /^(no )?vlan (\d+)$/.exec(line) ?? [];
  if (vlanId !== undefined) return no ? deleteVlan(device, Number(vlanId)) : createVlan(device, Number(vlanId));
  const [, id, name] = /^vlan (\d+) name (.+)$/.exec(line) ?? [];
  if (id !== undefined) return nameVlan(device, Number(id), name ?? '');
  const [, number, rest] = /^interface ethernet (\d+\/\d+) (.+)$/.exec(line) ?? [];
  if (number !== undefined) {
    const port = device.ports.get(`Eth${number}`);
    return port ? changePort(device, port, rest ?? '') : `% Invalid interface: ethernet ${number}`;
  }
  if (line === 'exit' || line === 'configuration write') return undefined;
  return `% Unrecognized command "${line.split(' ')[0]}".`;
}

function createVlan(device: Switch, id: number): string | undefined {
  if (id < 1 || id > 4_094) return `% VLAN ${id} is out of range [1-4094]`;
  if (!device.vlans.has(id)) device.vlans.set(id, '');
  return undefined;
}

function deleteVlan(device: Switch, id: number): string | undefined {
  if (id === 1) return '% Default VLAN cannot be deleted';
  if (!device.vlans.delete(id)) return `% VLAN ${id} does not exist`;
  for (const port of device.ports.values()) {
    port.allowedVlans.delete(id);
    if (port.accessVlan === id) port.accessVlan = 1;
  }
  return undefined;
}

function nameVlan(device: Switch, id: number, given: string): string | undefined {
  if (!device.vlans.has(id)) return `% VLAN ${id} does not exist`;
  const name = given.replace(/^"(.*)"$/, '$1');
  if (name === '' || name.length > 40) return '% Invalid VLAN name';
  device.vlans.set(id, name);
  return undefined;
}

function changePort(device: Switch, port: Port, command: string): string | undefined {
  const [, mode] = /^switchport mode (access|trunk|hybrid)$/.exec(command) ?? [];
  if (mode !== undefined) {
    if (port.mode.toLowerCase() === mode) return undefined;
    port.mode = mode === 'access' ? 'Access' : mode === 'trunk' ? 'Trunk' : 'Hybrid';
    port.allowedVlans.clear();
    // A trunk carries every VLAN by default.
    if (mode === 'trunk') for (const id of device.vlans.keys()) port.allowedVlans.add(id);
    return undefined;
  }
  const [, access] = /^switchport access vlan (\d+)$/.exec(command) ?? [];
  if (access !== undefined) {
    if (!device.vlans.has(Number(access))) return `% VLAN ${access} does not exist`;
    port.accessVlan = Number(access);
    return undefined;
  }
  const [, emptied] = /^switchport (hybrid|trunk) allowed-vlan none$/.exec(command) ?? [];
  if (emptied !== undefined) {
    if (port.mode.toLowerCase() !== emptied) return `% Interface is not in ${emptied} mode`;
    port.allowedVlans.clear();
    return undefined;
  }
  const [, allowedMode, verb, id] = /^switchport (hybrid|trunk) allowed-vlan (add|remove) (\d+)$/.exec(command) ?? [];
  if (id !== undefined) {
    if (port.mode.toLowerCase() !== allowedMode) return `% Interface is not in ${allowedMode} mode`;
    if (verb === 'remove') return port.allowedVlans.delete(Number(id)) ? undefined : `% VLAN ${id} is not allowed here`;
    if (!device.vlans.has(Number(id))) return `% VLAN ${id} does not exist`;
    port.allowedVlans.add(Number(id));
    return undefined;
  }
  const [, shut] = /^(no )?shutdown$/.exec(command) ?? [];
  if (/^(no )?shutdown$/.test(command)) {
    port.enabled = shut !== undefined;
    return undefined;
  }
  const [, mtu] = /^mtu (\d+) force$/.exec(command) ?? [];
  if (mtu !== undefined) {
    if (Number(mtu) < 1_500 || Number(mtu) > 9_216) return '% MTU is out of range [1500-9216]';
    port.mtu = Number(mtu);
    return undefined;
  }
  const [, speed] = /^speed (1G|10G|25G|40G|50G|56G|100G) force$/.exec(command) ?? [];
  if (speed !== undefined) {
    port.speed = speed;
    return undefined;
  }
  return `% Unrecognized command "${command.split(' ')[0]}".`;
}
