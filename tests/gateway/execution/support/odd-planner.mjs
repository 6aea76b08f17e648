// Stands in for the planner's process, and does what the operation text says. Each plan names the process that made it.
let counted = 0;
process.on('message', (message) => {
  if (message.supergraph === 'refused') return process.send({ fault: 'no' });
  if (message.supergraph === 'ends') process.exit(3);
  // Simulates a busy machine.
  const [, slowMs] = /^# slow (\d+)/.exec(message.supergraph ?? '') ?? [];
  if (slowMs !== undefined) return setTimeout(() => process.send({}), Number(slowMs));
  if (message.supergraph !== undefined) return process.send({});
  if (message.text.includes('end')) {
    process.stderr.write('last words\n');
    process.abort();
  }
  if (message.text.includes('none')) return process.send({ fault: 'no paths' });
  if (message.text.includes('never')) return undefined;
  if (message.text.includes('count')) counted += 1;
  return process.send({
    plan: { kind: 'Fetch', serviceName: 'alpha', operation: message.text, made: process.pid, counted },
  });
});
process.on('disconnect', () => process.exit(0));
