/** The manifests in deploy/kubernetes: against the published schemas, and against what tsgun does with its settings. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { settingsOf } from './config/command-line.ts';

interface Probe {
  httpGet: { port: string; path: string };
  periodSeconds: number;
  failureThreshold: number;
}
interface Container extends Record<'startupProbe' | 'readinessProbe' | 'livenessProbe', Probe> {
  args: string[];
  ports: { name: string; containerPort: number }[];
}
interface Manifest {
  apiVersion: string;
  kind: string;
  spec: {
    template: { spec: { terminationGracePeriodSeconds: number | string; containers: [Container] } };
    metrics: [{ pods: { metric: { name: string }; target: { averageValue: string } } }];
  };
  resources: string[];
  rules: { custom: [{ seriesQuery: string; name: { as: string } }] };
}
interface Kind {
  new (data: unknown): { validate(): void };
  apiVersion: string;
  kind: string;
}

const manifest = (name: string) => parse(readFileSync(`deploy/kubernetes/${name}.yaml`, 'utf8')) as Manifest;
const kinds = [
  ['deployment', 'apps/v1', 'Deployment'],
  ['service', 'v1', 'Service'],
  ['autoscaler', 'autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['disruption-budget', 'policy/v1', 'PodDisruptionBudget'],
] as const;
const modelOf = async (group: string, kind: string) => {
  const models: Record<string, Kind> = await import(`kubernetes-models/${group}/${kind}`);
  return models[kind]!;
};

describe('deploy/kubernetes', () => {
  it.each(kinds)('%s.yaml is what the schema of %s %s asks for', async (name, group, kind) => {
    const { apiVersion, kind: own, ...rest } = manifest(name);
    expect([apiVersion, own]).toEqual([group, kind]);
    const Model = await modelOf(group, kind);
    expect(() => new Model(rest).validate()).not.toThrow();
  });

  it('fails the check with a mistake in it', async () => {
    const { apiVersion: _, kind: __, ...rest } = manifest('deployment');
    rest.spec.template.spec.terminationGracePeriodSeconds = '45';
    const Model = (await modelOf('apps/v1', 'Deployment'))!;
    expect(() => new Model(rest).validate()).toThrow(/terminationGracePeriodSeconds/);
  });

  it('is applied as a whole, but for the values of the adapter', () => {
    const others = ['kustomization.yaml', 'prometheus-adapter.yaml'];
    const files = readdirSync('deploy/kubernetes').filter((name) => !others.includes(name));
    expect(manifest('kustomization').resources.toSorted()).toEqual(files.sort());
  });

  it('gives a pod time to boot, to drain and to finish its requests, and takes it out of service while it drains', async () => {
    const { terminationGracePeriodSeconds, containers } = manifest('deployment').spec.template.spec;
    const [{ args, readinessProbe, startupProbe }] = containers;
    const { drainDelay, gracefulTimeout, bootTimeout } = await settingsOf(args);
    const timeOf = ({ periodSeconds, failureThreshold }: Probe) => periodSeconds * failureThreshold;
    expect(Number(terminationGracePeriodSeconds)).toBeGreaterThan(drainDelay + gracefulTimeout);
    expect(timeOf(readinessProbe)).toBeLessThan(drainDelay);
    expect(timeOf(startupProbe)).toBeGreaterThanOrEqual(bootTimeout);
  });

  it('asks at the ports and paths where tsgun answers', () => {
    const [container] = manifest('deployment').spec.template.spec.containers;
    const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    expect(container.args).toContain(`--bind=0.0.0.0:${ports.http}`);
    expect(container.args).toContain(`--admin-bind=0.0.0.0:${ports.admin}`);
    expect(container.startupProbe.httpGet).toEqual({ port: 'admin', path: '/readyz' });
    expect(container.readinessProbe.httpGet).toEqual({ port: 'admin', path: '/readyz' });
    expect(container.livenessProbe.httpGet).toEqual({ port: 'admin', path: '/livez' });
  });

  it('scales by a metric that tsgun has, below what all workers of a pod have', async () => {
    const [rule] = manifest('prometheus-adapter').rules.custom;
    expect(readFileSync('docs/metrics.md', 'utf8')).toContain(/^\w+/.exec(rule.seriesQuery)?.[0]);
    const [{ pods }] = manifest('autoscaler').spec.metrics;
    expect(pods.metric.name).toBe(rule.name.as);
    const [{ args }] = manifest('deployment').spec.template.spec.containers;
    expect(Number.parseInt(pods.target.averageValue, 10) / 1000).toBeLessThan(
      (await settingsOf(args)).workers as number,
    );
  });
});
