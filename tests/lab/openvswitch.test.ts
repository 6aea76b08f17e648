// The private Open vSwitch is a real database and switch. It is reachable both ways, has access control, and leaves nothing behind.
// needs: iproute2

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import type { RunningOpenVswitch } from '../../lab/openvswitch.ts';
import { isRunning, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { makeCertificates } from '../support/product/certificates.ts';
import {
  describeWithOpenVswitch,
  openVswitchUnavailable,
  sshOnce,
  testOpenVswitch,
} from '../support/servers/openvswitch.ts';

/** The first bytes of an answer to `list_dbs` (RFC 7047 section 4.1.1), or the error that ended the connection. */
function listDatabases(ovs: RunningOpenVswitch, client: { cert?: string; key?: string }): Promise<string> {
  const { host, port, certificates } = ovs.ovsdb;
  return new Promise((resolve) => {
    const socket = connect({ host, port, ca: certificates.ca, ...client });
    socket.once('error', (error) => resolve(error.message));
    socket.once('close', () => resolve('closed'));
    socket.once('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.write('{"id":1,"method":"list_dbs","params":[]}');
  });
}

describeWithOpenVswitch('the switch', (ovs) => {
  test('accepts over TLS only the client certificate of its authority', async () => {
    const { cert, key } = ovs().ovsdb.certificates.client;
    expect(JSON.parse(await listDatabases(ovs(), { cert, key }))).toMatchObject({
      id: 1,
      error: null,
      result: expect.arrayContaining(['Open_vSwitch']),
    });
    const folder = await temporaryFolder();
    const stranger = await makeCertificates(folder.path, 'stranger');
    for (const client of [{}, { cert: stranger.cert, key: stranger.key }]) {
      expect(await listDatabases(ovs(), client)).toMatch(/alert|closed|ECONNRESET/);
    }
    await folder.remove();
  });

  test('is the default target of ovsdb-client and ovs-vsctl over its SSH', async () => {
    const row = '["Open_vSwitch",{"op":"select","table":"Open_vSwitch","where":[],"columns":["ovs_version"]}]';
    const reply = await sshOnce(ovs().ssh, 'ovsdb-client transact "$(cat)"', row);
    expect(reply).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/"ovs_version":"\d+\.\d+\.\d+"/) });
    expect((await sshOnce(ovs().ssh, 'ovs-vsctl --no-wait set Open_vSwitch . other_config:seen=yes')).exitCode).toBe(0);
    expect((await ovs().vsctl('get', 'Open_vSwitch', '.', 'other_config:seen')).stdout.trim()).toBe('yes');
  });

  test('its login can change the switch and nothing else on this machine', async () => {
    for (const command of ['touch /etc/tidegate-probe', 'mount -n -o remount,rw /', 'mknod /run/probe b 1 1']) {
      expect((await sshOnce(ovs().ssh, command)).exitCode).not.toBe(0);
    }
    const setting = '/proc/sys/kernel/printk_ratelimit';
    expect((await sshOnce(ovs().ssh, `v=$(cat ${setting}) && echo "$v" >${setting}`)).exitCode).not.toBe(0);
    for (const path of ['/etc/shadow', ovs().ssh.privateKeyPath, process.execPath, import.meta.filename])
      expect((await sshOnce(ovs().ssh, `cat ${path}`)).exitCode).toBe(1);
    expect((await sshOnce(ovs().ssh, 'whoami')).stdout).toBe('netops\n');
  });

  test("applies the database's configuration, invisible to the machine", async () => {
    expect(ovs().datapath).toBe('netdev');
    const bridge = ['add-br', 'br-lab', '--', 'set', 'Bridge', 'br-lab', 'datapath_type=netdev'];
    const port = ['add-port', 'br-lab', 'lab0', 'tag=10', '--', 'set', 'Interface', 'lab0', 'type=internal'];
    expect((await ovs().vsctl(...bridge, '--', ...port)).exitCode).toBe(0);
    expect(Number((await ovs().vsctl('get', 'Interface', 'lab0', 'ofport')).stdout)).toBeGreaterThan(0);
    expect((await ovs().inside('ip', '-br', 'link')).stdout).toMatch(/^lab0 /m);
    expect(Object.keys(networkInterfaces())).not.toContain('lab0');
    expect((await runProgram('ip', ['link', 'show', 'lab0'])).exitCode).not.toBe(0);
  });
});

const obstacle = openVswitchUnavailable();
const describeHere = obstacle === undefined ? describe : describe.skip;
describeHere(obstacle === undefined ? 'its life' : `its life (skipped: ${obstacle})`, () => {
  test('two run in parallel, and a stopped one leaves no process and keeps its database', async () => {
    const [one, other] = await Promise.all([testOpenVswitch(), testOpenVswitch()]);
    expect(one.ovs.ovsdb.port).not.toBe(other.ovs.ovsdb.port);
    await one.ovs.vsctl('--no-wait', 'add-br', 'only-here');
    expect((await other.ovs.vsctl('list-br')).stdout).toBe('');
    await one.ovs.stop();
    expect([one.ovs.databasePid, one.ovs.switchPid ?? -1].filter(isRunning)).toEqual([]);
    expect((await runProgram('ovsdb-tool', ['query', join(one.folder, 'conf.db'), bridgeNames])).stdout).toContain(
      'only-here',
    );
    await Promise.all([one.stop(), other.stop()]);
  });

  test('after kill -9 of its owner no process remains', async () => {
    const folder = await temporaryFolder();
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'openvswitch-owner-process.ts'), folder.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH },
    });
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    const { databasePid, switchPid } = JSON.parse(line) as { databasePid: number; switchPid: number };
    expect([databasePid, switchPid].map(isRunning)).toEqual([true, true]);
    owner.kill('SIGKILL');
    await waitFor('both to end', () => !isRunning(databasePid) && !isRunning(switchPid));
    await folder.remove();
  });
});

const bridgeNames = '["Open_vSwitch",{"op":"select","table":"Bridge","where":[],"columns":["name"]}]';
