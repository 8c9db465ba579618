// Asks iam-simulate every request of a workload and prints how long it took and what it said, as JSON.
// node iam_simulate.mjs WORKLOAD.json, in a folder where the package is installed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const local = createRequire(pathToFileURL(process.cwd() + '/'));
const { runSimulation } = local('@cloud-copilot/iam-simulate');
const { version } = local('./node_modules/@cloud-copilot/iam-simulate/package.json');
const workload = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const named = policies => policies.map(({ name, document }) => ({ name, policy: document }));
const simulation = ([action, resource]) => ({
  request: {
    principal: workload.principal,
    action,
    resource: { resource, accountId: workload.account },
    contextVariables: workload.context
  },
  identityPolicies: named(workload.policies.identity),
  permissionBoundaryPolicies: named(workload.policies.permissions_boundary),
  serviceControlPolicies: workload.policies.service_control.map(({ target, policies }) => ({
    orgIdentifier: target,
    policies: named(policies)
  })),
  resourceControlPolicies: [],
  resourcePolicy: workload.policies.resource[0].document
});

const answer = async request => {
  const result = await runSimulation(simulation(request), {});
  return result.overallResult ?? `error: ${JSON.stringify(result.errors)}`;
};

for (const request of workload.requests.slice(0, 200)) {
  await answer(request); // warm up
}
const decisions = new Array(workload.requests.length);
let seconds = Infinity; // for one request, in the fastest round; each round asks of everything a little
for (let round = 0; round < workload.rounds; round++) {
  const start = performance.now();
  let count = 0;
  for (let at = round; at < workload.requests.length; at += workload.rounds) {
    decisions[at] = await answer(workload.requests[at]);
    count += 1;
  }
  seconds = Math.min(seconds, (performance.now() - start) / 1000 / count);
}
console.log(JSON.stringify({ name: 'iam-simulate', version, seconds, decisions }));
