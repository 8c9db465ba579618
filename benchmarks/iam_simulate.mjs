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
const decisions = [];
const start = performance.now();
for (const request of workload.requests) {
  decisions.push(await answer(request));
}
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ name: 'iam-simulate', version, seconds, decisions }));
