{{- /* The policies that change objects, and whom they concern. They are in force as MutatingAdmissionPolicies, or run by the
webhook from a ConfigMap: the same text. */ -}}
{{- define "tidegate.hold.conditions" -}}
- name: gated
  expression: "'tidegate.io/gated' in object.metadata.?labels.orValue({})"
- name: not-the-controller
  expression: request.userInfo.username != {{ include "tidegate.controllerUser" . | squote }}
{{- end -}}

{{- define "tidegate.hold-stateful.conditions" -}}
{{ include "tidegate.hold.conditions" . }}
# With OnDelete there is no partition. What is held stays held all the same: nobody leaves the hold by that door.
- name: updates-by-itself-or-is-held
  expression: >-
    {{- include "tidegate.rolls-or-is-held" . | nindent 4 }}
{{- end -}}

{{- define "tidegate.rolls-or-is-held" -}}
object.spec.?updateStrategy.?type.orValue('RollingUpdate') == 'RollingUpdate'
|| (oldObject.spec.?updateStrategy.?type.orValue('RollingUpdate') == 'RollingUpdate'
  && 'tidegate.io/paused-because' in oldObject.metadata.?annotations.orValue({}))
{{- end -}}

{{- define "tidegate.stamps.conditions" -}}
# A Deployment keeps its labels at a write of its status, whatever that sends; its annotations go with it.
- name: gated
  expression: >-
    'tidegate.io/gated' in object.metadata.?labels.orValue({})
    || (request.?subResource.orValue('') == 'status' && 'tidegate.io/gated' in oldObject.metadata.?labels.orValue({}))
- name: not-the-controller
  expression: request.userInfo.username != {{ include "tidegate.controllerUser" . | squote }}
# Every other write is looked at by *-hold or *-hold-stateful.
- name: nobody-holds
  expression: >-
    request.operation == 'CREATE' || request.?subResource.orValue('') == 'status' || !(
    {{- include "tidegate.rolls-or-is-held" . | nindent 4 }})
- name: brings-stamps-or-takes-them
  expression: >-
    ['tidegate.io/changed-by', 'tidegate.io/resumed-by', 'tidegate.io/paused-because'].exists(k,
      object.metadata.?annotations[?k].orValue('') != (request.?subResource.orValue('') == 'status'
        && 'tidegate.io/gated' in oldObject.metadata.?labels.orValue({}) ? oldObject.metadata.?annotations[?k].orValue('') : ''))
{{- end -}}

{{- define "tidegate.weights.conditions" -}}
- name: released
  expression: "'tidegate.io/weights' in oldObject.metadata.?annotations.orValue({})"
- name: not-the-controller
  expression: request.userInfo.username != {{ include "tidegate.controllerUser" . | squote }}
- name: not-under-break-glass
  expression: object.metadata.?annotations[?'tidegate.io/break-glass'].orValue('') == ''
{{- end -}}

{{- /* Whether `variables.user` is a machine. */ -}}
{{- define "tidegate.machine" -}}
variables.user.startsWith('system:serviceaccount:') || variables.user.startsWith('system:kube-')
|| variables.user.startsWith('system:node:') || variables.user in {{ .Values.admission.machineUsers | toJson }}
{{- end -}}

{{- /* The groups that an attestation has: those of the API server, and beside them that of the administrator's machine users, which nobody
       else has. By it the controller knows them for machines. */ -}}
{{- define "tidegate.attestedGroups" -}}
request.userInfo.?groups.orValue([]).filter(g, g != 'system:machine')
+ (!request.userInfo.username.startsWith('system:') && request.userInfo.username in {{ .Values.admission.machineUsers | toJson }}
? ['system:machine'] : [])
{{- end -}}

{{- /* Who changes a workload, and whether the program changes: what both kinds of hold go by. */ -}}
{{- define "tidegate.hold.change" -}}
- name: user
  expression: request.userInfo.username
# Service accounts and the cluster's own components are machines.
- name: machine
  expression: >-
    {{- include "tidegate.machine" . | nindent 4 }}
# As it goes on record. A machine under a name of the administrator's own is nobody's author, and says so.
- name: stamp
  expression: >-
    variables.machine && !variables.user.startsWith('system:') ? 'system:machine:' + variables.user : variables.user
# Template annotations that are no change of the program: a restart rolls natively.
- name: ignored
  expression: "['kubectl.kubernetes.io/restartedAt']"
- name: new
  expression: object.spec.template.metadata.?annotations.orValue({})
- name: old
  expression: oldObject.spec.template.metadata.?annotations.orValue({})
- name: same
  expression: >-
    variables.new.all(k, k in variables.ignored || (k in variables.old && variables.old[k] == variables.new[k]))
    && variables.old.all(k, k in variables.ignored || k in variables.new)
    && object.spec.template.spec == oldObject.spec.template.spec
    && object.spec.template.metadata.?labels.orValue({}) == oldObject.spec.template.metadata.?labels.orValue({})
- name: before
  expression: oldObject.metadata.?annotations.orValue({})
# The reasons for break-glass, the one that stands after this write and the one before, as they are kept: on one line, cut off
# after 200 characters.
- name: reasons
  expression: >-
    [object.metadata.?annotations[?'tidegate.io/break-glass'].orValue(''), variables.before[?'tidegate.io/break-glass'].orValue('')]
      .map(r, r.replace('\n', ' ')).map(r, r.size() > 200 ? r.substring(0, 200) : r)
- name: spent
  expression: variables.before[?'tidegate.io/break-glass-spent'].orValue('').split('\n')
# A reason counts in the write that brings it, and once: not where it only stands, nor where something puts it back that did not
# ask, such as kubectl rollout undo, which brings the annotations of an old ReplicaSet, or Git after somebody took it off.
- name: glass
  expression: >-
    variables.reasons[0] != '' && variables.reasons[0] != variables.reasons[1] && !(variables.reasons[0] in variables.spent)
{{- end -}}

{{- /* The reasons that let nothing go any more. The one before joins them when it goes, or when a template comes under it. */ -}}
{{- define "tidegate.hold.spent" -}}
- name: spends
  expression: variables.reasons[1] != '' && (!variables.same || variables.reasons[0] != variables.reasons[1])
# Ten, newest first: as many as a Deployment keeps ReplicaSets by default.
- name: counted
  expression: >-
    !variables.spends ? variables.spent
    : [variables.reasons[1]] + variables.spent.filter(r, r != '' && r != variables.reasons[1])
- name: remembered
  expression: >-
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter(i, i < variables.counted.size()).map(i, variables.counted[i]).join('\n')
{{- end -}}

{{- /* The end of a hold's explanation, where a reason stands that does not count: `kubectl KIND` and the workload's name follow. */ -}}
{{- define "tidegate.hold.despite" -}}
(variables.reasons[0] == '' ? '' : '. It is held although tidegate.io/break-glass has a reason: that one was given before, and '
  + 'a reason counts once, in the write that brings it. Give another one, or take it off, in Git first where it is from there: '
  + 'kubectl annotate {{ . }} ' + object.metadata.name + ' -n ' + object.metadata.namespace + ' tidegate.io/break-glass-')
{{- end -}}

{{- /* What the API server knows of who changed a template. Without the label anybody writes the stamps. */ -}}
{{- define "tidegate.hold.known" -}}
- name: stamped
  expression: "'tidegate.io/gated' in oldObject.metadata.?labels.orValue({})"
- name: who
  expression: >-
    !variables.same ? variables.stamp
    : variables.stamped ? variables.before[?'tidegate.io/changed-by'].orValue('somebody unknown') : 'somebody unknown'
{{- end -}}

{{- /* Writes the stamps that must be there, and takes away those that must not. */ -}}
{{- define "tidegate.hold.stamps" -}}
+ (has(object.metadata.annotations) || !variables.stamps.exists(k, variables.stamps[k] != '') ? []
  : [JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}])
+ variables.stamps.map(k, k)
  .filter(k, variables.stamps[k] != '' && object.metadata.?annotations[?k].orValue('') != variables.stamps[k])
  .map(k, JSONPatch{op: 'add', path: '/metadata/annotations/' + jsonpatch.escapeKey(k), value: variables.stamps[k]})
+ variables.stamps.map(k, k)
  .filter(k, variables.stamps[k] == '' && k in object.metadata.?annotations.orValue({}))
  .map(k, JSONPatch{op: 'remove', path: '/metadata/annotations/' + jsonpatch.escapeKey(k)})
{{- end -}}

{{- define "tidegate.hold" -}}
{{- $name := include "tidegate.name" . -}}
# Hold. At every update of a gated Deployment `spec.paused` is worked out anew: paused when the template changes or was
# held already. Nobody owns the field, so a tool that applies manifests neither sees nor removes it. Worked out, not only
# set: a webhook that rewrites templates runs after this policy, which then runs once more and takes back what was no change.
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata:
  name: {{ $name }}-hold
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  failurePolicy: Fail
  reinvocationPolicy: IfNeeded
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}
    # True where the old or the new object has the label; `gated` below asks the new one.
    objectSelector:
      matchExpressions: [{key: tidegate.io/gated, operator: Exists}]
  matchConditions:
  {{- include "tidegate.hold.conditions" . | nindent 2 }}
  variables:
  {{- include "tidegate.hold.change" . | nindent 2 }}
  {{- include "tidegate.hold.known" . | nindent 2 }}
  {{- include "tidegate.hold.spent" . | nindent 2 }}
  - name: was
    expression: oldObject.spec.?paused.orValue(false)
  - name: sent
    expression: object.spec.?paused.orValue(false)
  # A person resumes what was held, without changing it again. Machines are not asked and not refused: they stay paused.
  - name: resumes
    expression: variables.same && variables.was && !variables.sent && !variables.machine
  - name: paused
    expression: "!variables.glass && (!variables.same || (variables.was && !variables.resumes))"
  # Break-glass lets it go, by whoever puts it on.
  - name: breaks
    expression: variables.glass && variables.same && variables.was && !variables.paused
  # What the stamps must be; empty stands for none. Whoever sends others gets these. Those from before the label
  # vouch for nobody.
  - name: stamps
    expression: >-
      {
        'tidegate.io/changed-by': !variables.same ? variables.stamp
          : variables.stamped ? variables.before[?'tidegate.io/changed-by'].orValue('') : '',
        'tidegate.io/resumed-by': variables.resumes || variables.breaks ? variables.stamp
          : variables.same && variables.stamped ? variables.before[?'tidegate.io/resumed-by'].orValue('') : '',
        'tidegate.io/paused-because': !variables.paused ? ''
          : variables.same && (variables.before[?'tidegate.io/paused-because'].orValue('') == ''
            || (variables.stamped && variables.reasons[0] == variables.reasons[1]))
          ? variables.before[?'tidegate.io/paused-because'].orValue('')
          : 'Tidegate holds the pod template that ' + variables.who + ' changed until it decides how to ship it; the pods '
            + 'before the change go on serving. See: kubectl get gatedreleases -n ' + object.metadata.namespace + ' -o wide. '
            + {{ if eq .Values.override.mode "Enforce" -}}
              'To let it run ungated (recorded, needs the verb bypass): kubectl rollout resume deployment/'
              {{- else -}}
              'To let it run ungated (recorded as a bypass): kubectl rollout resume deployment/'
              {{- end }} + object.metadata.name + ' -n ' + object.metadata.namespace
            + {{ include "tidegate.hold.despite" "deployment" | indent 14 | trim }},
        'tidegate.io/break-glass-spent': variables.remembered
      }
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        (variables.paused ? [JSONPatch{op: 'add', path: '/spec/paused', value: true}]
          : variables.sent ? [JSONPatch{op: 'remove', path: '/spec/paused'}] : [])
        {{- include "tidegate.hold.stamps" . | nindent 8 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}-hold
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  policyName: {{ $name }}-hold
{{- end -}}

{{- define "tidegate.hold-stateful" -}}
{{- $name := include "tidegate.name" . -}}
# Hold of StatefulSets: the same by their partition, above every ordinal while a changed template is held. Tidegate lowers it
# pod by pod; machines that send another get the one that stands; a person may set it to 0, which lets all pods go. With
# OnDelete there is no partition, and nothing holds: Tidegate refuses that by its condition. What is held does not become
# OnDelete, and what comes back from it is held until Tidegate has looked.
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata:
  name: {{ $name }}-hold-stateful
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  failurePolicy: Fail
  reinvocationPolicy: IfNeeded
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [statefulsets]}
    objectSelector:
      matchExpressions: [{key: tidegate.io/gated, operator: Exists}]
  matchConditions:
  {{- include "tidegate.hold-stateful.conditions" . | nindent 2 }}
  variables:
  {{- include "tidegate.hold.change" . | nindent 2 }}
  {{- include "tidegate.hold.known" . | nindent 2 }}
  {{- include "tidegate.hold.spent" . | nindent 2 }}
  - name: most
    expression: "2147483647"
  # Whether the pods updated by themselves before: who comes back from OnDelete may bring a template that never ran.
  - name: returns
    expression: >-
      oldObject.spec.?updateStrategy.?type.orValue('RollingUpdate') != 'RollingUpdate'
      && object.spec.?updateStrategy.?type.orValue('RollingUpdate') == 'RollingUpdate'
  - name: news
    expression: "!variables.same || variables.returns"
  - name: leaves
    expression: object.spec.?updateStrategy.?type.orValue('RollingUpdate') != 'RollingUpdate'
  - name: had
    expression: oldObject.spec.?updateStrategy.?rollingUpdate.?partition.orValue(0)
  # What this policy itself wrote, before a webhook took the change back and it runs once more, was sent by nobody.
  - name: sent
    expression: >-
      variables.leaves || object.spec.?updateStrategy.?rollingUpdate.?partition.orValue(0) == variables.most ? variables.had
      : object.spec.?updateStrategy.?rollingUpdate.?partition.orValue(0)
  # A partition without the explanation is the user's own.
  - name: was
    expression: variables.had > 0 && 'tidegate.io/paused-because' in variables.before
  - name: resumes
    expression: variables.same && variables.was && variables.sent == 0 && !variables.machine
  - name: partition
    expression: >-
      variables.glass ? 0
      : variables.news ? variables.most
      : variables.was && !variables.resumes ? variables.had : variables.sent
  - name: paused
    expression: variables.partition > 0 && (variables.news || variables.was)
  # Break-glass lets it go, by whoever puts it on.
  - name: breaks
    expression: variables.glass && variables.same && variables.was && !variables.paused
  # What the stamps must be; empty stands for none. Whoever sends others gets these. Those from before the label
  # vouch for nobody.
  - name: stamps
    expression: >-
      {
        'tidegate.io/changed-by': !variables.same ? variables.stamp
          : variables.stamped && !variables.returns ? variables.before[?'tidegate.io/changed-by'].orValue('') : '',
        'tidegate.io/resumed-by': variables.resumes || variables.breaks ? variables.stamp
          : variables.same && variables.stamped && !variables.returns
          ? variables.before[?'tidegate.io/resumed-by'].orValue('') : '',
        'tidegate.io/paused-because': !variables.paused ? ''
          : !variables.news && variables.stamped && variables.reasons[0] == variables.reasons[1]
          ? variables.before[?'tidegate.io/paused-because'].orValue('')
          : 'Tidegate holds the pod template that ' + variables.who + ' changed until it decides how to ship it; the pods '
            + 'before the change go on serving. See: kubectl get gatedreleases -n ' + object.metadata.namespace + ' -o wide. '
            + {{ if eq .Values.override.mode "Enforce" -}}
              'To let it run ungated (recorded, needs the verb bypass): kubectl patch statefulset '
              {{- else -}}
              'To let it run ungated (recorded as a bypass): kubectl patch statefulset '
              {{- end }} + object.metadata.name + ' -n ' + object.metadata.namespace
            + ' -p \'{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}\''
            + {{ include "tidegate.hold.despite" "statefulset" | indent 14 | trim }},
        'tidegate.io/break-glass-spent': variables.remembered
      }
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        (object.spec.?updateStrategy.hasValue() && !variables.leaves ? []
          : [JSONPatch{op: 'add', path: '/spec/updateStrategy', value: {'type': 'RollingUpdate'}}])
        + (object.spec.?updateStrategy.?rollingUpdate.hasValue() ? []
          : [JSONPatch{op: 'add', path: '/spec/updateStrategy/rollingUpdate', value: {}}])
        + (object.spec.?updateStrategy.?rollingUpdate.?partition.orValue(0) == variables.partition ? []
          : [JSONPatch{op: 'add', path: '/spec/updateStrategy/rollingUpdate/partition', value: variables.partition}])
        {{- include "tidegate.hold.stamps" . | nindent 8 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}-hold-stateful
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  policyName: {{ $name }}-hold-stateful
{{- end -}}

{{- define "tidegate.stamps" -}}
{{- $name := include "tidegate.name" . -}}
# Stamps where nothing is held: when a workload is created, when its status is written (annotations go with it), and while a
# StatefulSet is OnDelete. None comes that way, and none goes. What a backup restores as held says so, in words of our own.
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata:
  name: {{ $name }}-stamps
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  failurePolicy: Fail
  reinvocationPolicy: IfNeeded
  matchConstraints:
    resourceRules:
    {{- include "tidegate.stamps.rules" . | nindent 4 }}
    objectSelector:
      matchExpressions: [{key: tidegate.io/gated, operator: Exists}]
  matchConditions:
  {{- include "tidegate.stamps.conditions" . | nindent 2 }}
  variables:
  - name: stamped
    expression: request.?subResource.orValue('') == 'status' && 'tidegate.io/gated' in oldObject.metadata.?labels.orValue({})
  - name: stamps
    expression: >-
      {
        'tidegate.io/changed-by': variables.stamped ? oldObject.metadata.?annotations[?'tidegate.io/changed-by'].orValue('') : '',
        'tidegate.io/resumed-by': variables.stamped ? oldObject.metadata.?annotations[?'tidegate.io/resumed-by'].orValue('') : '',
        'tidegate.io/paused-because': variables.stamped ? oldObject.metadata.?annotations[?'tidegate.io/paused-because'].orValue('')
          : request.operation != 'CREATE' || object.metadata.?annotations[?'tidegate.io/paused-because'].orValue('') == '' ? ''
          : 'Made anew as it was held. See: kubectl get gatedreleases -n ' + request.namespace + ' -o wide'
      }
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        {{- include "tidegate.hold.stamps" . | trimPrefix "+ " | nindent 8 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}-stamps
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  policyName: {{ $name }}-stamps
{{- end -}}

{{- define "tidegate.stamps.rules" -}}
- {apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments, statefulsets]}
- {apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [statefulsets, deployments/status, statefulsets/status]}
{{- end -}}

{{- define "tidegate.weights" -}}
{{- $name := include "tidegate.name" . -}}
# Weights. While the controller marks a route, an update by anybody else is divided as the route was: in a rule that has the
# name or the matches of a divided one, what the owner gives a Service goes to its versions in the same shares, and the
# marks come back. A route may lead to several Services with a release each; each keeps its own shares. Everything else is
# as it was sent: other backends and their weights, filters, rules that are new, gone or in another order, a rule that no
# longer names the Service, and all under `tidegate.io/break-glass`.
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata:
  name: {{ $name }}-weights
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  failurePolicy: Ignore
  reinvocationPolicy: IfNeeded
  matchConstraints:
    resourceRules:
    - {apiGroups: [gateway.networking.k8s.io], apiVersions: [v1], operations: [UPDATE], resources: [httproutes]}
  matchConditions:
  {{- include "tidegate.weights.conditions" . | nindent 2 }}
  variables:
  # The Services that are released, 16 at most, as a route has 16 rules at most.
  # The largest route there is, with 16 Services divided in each of 16 rules, costs 0.8 million of the 10 million units that
  # Kubernetes allows (measured with the evaluator of 1.36.3); one Service in one rule 4,400.
  - name: services
    expression: oldObject.metadata.annotations['tidegate.io/weights'].split(',', 17)
  # A rule has 16 backends at most, and a Service three versions.
  - name: places
    expression: "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]"
  - name: triples
    expression: "variables.places + variables.places.map(n, n + 16) + variables.places.map(n, n + 32)"
  # The versions of all Services, three each: the Service, its canary, its previous version.
  - name: versions
    expression: >-
      variables.triples.filter(n, n / 3 < variables.services.size())
        .map(n, variables.services[n / 3] + ['', '-canary', '-previous'][n % 3])
  # The rules as they stood, and as they are sent. `of` says which version each backend is, by its place among all; below 0
  # it is none.
  - name: rules
    expression: >-
      [oldObject, object].map(route, route.spec.?rules.orValue([]).map(r, {
        'rule': dyn(r),
        'backends': dyn(r.?backendRefs.orValue([])),
        'of': dyn(r.?backendRefs.orValue([]).map(b,
          b.?kind.orValue('Service') == 'Service' && b.?group.orValue('') == ''
          && b.?namespace.orValue(oldObject.metadata.namespace) == oldObject.metadata.namespace
          ? variables.versions.indexOf(b.name) : -1))
      }))
  # By Service: the rules that were divided, with the weight of each of the three.
  - name: divided
    expression: >-
      variables.places.filter(s, s < variables.services.size()).map(s,
        variables.places.filter(o, o < variables.rules[0].size()
            && (3 * s + 1 in variables.rules[0][o].of || 3 * s + 2 in variables.rules[0][o].of)).map(o, {
          'place': dyn(o),
          'named': dyn([0, 1, 2].filter(k, 3 * s + k in variables.rules[0][o].of)),
          'weights': dyn([0, 1, 2].map(k, !(3 * s + k in variables.rules[0][o].of) ? dyn(0)
            : variables.rules[0][o].backends[variables.rules[0][o].of.indexOf(3 * s + k)].?weight.orValue(1)))
        }).filter(r, r.weights.exists(w, w > 0)))
  # By rule that is sent: the rules of the same name or matches as they stood, by their places.
  - name: alike
    expression: >-
      variables.rules[1].map(r, variables.places.filter(o, o < variables.rules[0].size()
        && (variables.rules[0][o].rule.?name.hasValue() && variables.rules[0][o].rule.?name == r.rule.?name
          || variables.rules[0][o].rule.?matches == r.rule.?matches)))
  # By rule that is sent: the Services to divide in it again, and how the rule alike was. Where a Service has no weight it is
  # let be, and so is a new rule, which the controller divides; but where the Service has no users in any rule, a new one
  # sends it none either.
  - name: again
    expression: >-
      variables.places.filter(i, i < variables.rules[1].size()).map(i,
        variables.places.filter(s, s < variables.services.size()
          && [0, 1, 2].exists(k, 3 * s + k in variables.rules[1][i].of)).map(s, {
          'service': dyn(s),
          'weights': dyn([0, 1, 2].map(k, !(3 * s + k in variables.rules[1][i].of) ? dyn(0)
            : variables.rules[1][i].backends[variables.rules[1][i].of.indexOf(3 * s + k)].?weight.orValue(1))),
          'like': dyn(variables.divided[s].filter(o, o.place in variables.alike[i])
            + (variables.divided[s].all(o, o.weights[0] == 0) ? variables.divided[s] : []))
        }).filter(p, p.like.size() > 0 && (p.weights[0] > 0
          || 3 * p.service + 1 in variables.rules[1][i].of || 3 * p.service + 2 in variables.rules[1][i].of)))
  # What there is to divide: all, or beside other backends as much as the Service is given; by what; and where its first
  # backend stands, whose place the versions take, and the one that they are copied from.
  - name: parts
    expression: >-
      variables.places.filter(i, i < variables.again.size()).map(i, variables.again[i].map(p, {
        'service': dyn(p.service),
        'first': dyn(variables.places.filter(j, j < variables.rules[1][i].of.size()
          && variables.rules[1][i].of[j] >= 3 * p.service && variables.rules[1][i].of[j] < 3 * p.service + 3)[0]),
        'model': dyn([0, 1, 2].filter(k, 3 * p.service + k in variables.rules[1][i].of)
          .map(k, variables.rules[1][i].backends[variables.rules[1][i].of.indexOf(3 * p.service + k)])[0]),
        'whole': dyn(variables.rules[1][i].of.all(v, v >= 3 * p.service && v < 3 * p.service + 3)
          ? dyn(100) : p.weights[0] + p.weights[1] + p.weights[2]),
        'named': dyn(p.like[0].named),
        'by': dyn(p.like[0].weights),
        'sum': dyn(p.like[0].weights[0] + p.like[0].weights[1] + p.like[0].weights[2])
      }))
  # The weights to write. What does not come out even goes to the oldest version: the previous one, else the Service.
  - name: shares
    expression: >-
      variables.parts.map(rule, rule.map(p, [
        p.by[2] > 0 || p.by[0] == 0 ? p.whole * p.by[0] / p.sum : p.whole - p.whole * p.by[1] / p.sum,
        p.by[2] > 0 || p.by[0] > 0 ? p.whole * p.by[1] / p.sum : p.whole,
        p.by[2] > 0 ? p.whole - p.whole * p.by[0] / p.sum - p.whole * p.by[1] / p.sum : dyn(0)
      ]))
  # By rule and backend that is sent: which of the parts it belongs to; below 0 it is let be.
  - name: belongs
    expression: >-
      variables.places.filter(i, i < variables.parts.size()).map(i, variables.rules[1][i].of.map(v,
        v < 0 ? -1 : variables.parts[i].map(p, p.service).indexOf(dyn(v / 3))))
  - name: marks
    expression: >-
      ['tidegate.io/weights', 'tidegate.io/weights-before', 'tidegate.io/withdrawn'].filter(k, k in oldObject.metadata.annotations)
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      # Three entries for each backend: one that is let be takes the first; the first of a Service gives way to its versions,
      # and the others of it go. Everything but name and weight is as it was sent, for all three: port and filters are the owner's.
      expression: >-
        variables.places.filter(i, i < variables.parts.size() && variables.parts[i].size() > 0).map(i, JSONPatch{
          op: 'replace',
          path: '/spec/rules/' + string(i) + '/backendRefs',
          value: variables.triples.filter(n, n / 3 < variables.belongs[i].size() && (variables.belongs[i][n / 3] < 0 ? n % 3 == 0
              : variables.parts[i][variables.belongs[i][n / 3]].first == n / 3
                && n % 3 in variables.parts[i][variables.belongs[i][n / 3]].named))
            .map(n, variables.belongs[i][n / 3] < 0 ? variables.rules[1][i].backends[n / 3]
              : [variables.parts[i][variables.belongs[i][n / 3]]].map(p, dyn({
                'name': dyn(variables.versions[3 * p.service + n % 3]),
                'weight': dyn(variables.shares[i][variables.belongs[i][n / 3]][n % 3]),
                ?'group': p.model.?group,
                ?'kind': p.model.?kind,
                ?'namespace': p.model.?namespace,
                ?'port': p.model.?port,
                ?'filters': p.model.?filters
              }))[0])
        })
        + (has(object.metadata.annotations) ? [] : [JSONPatch{op: 'add', path: '/metadata/annotations', value: {}}])
        + variables.marks.map(k, JSONPatch{
            op: 'add',
            path: '/metadata/annotations/' + jsonpatch.escapeKey(k),
            value: oldObject.metadata.annotations[k]
          })
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}-weights
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  policyName: {{ $name }}-weights
{{- end -}}

{{- define "tidegate.authors" -}}
{{- $name := include "tidegate.name" . -}}
# Authors. An attestation says who makes it as the API server knows them, so that nobody need write it, and carries its
# release as a label. Where this policy does not run, *-attestations refuses what is left out or made up.
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata:
  name: {{ $name }}-authors
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  failurePolicy: Ignore
  reinvocationPolicy: IfNeeded
  matchConstraints:
    resourceRules:
    - {apiGroups: [tidegate.io], apiVersions: [v1alpha1], operations: [CREATE], resources: [attestations]}
  variables:
  - name: groups
    expression: >-
      {{- include "tidegate.attestedGroups" . | nindent 6 }}
  # The release, where it can be the value of a label.
  - name: label
    expression: >-
      object.spec.?releaseRef.?name.orValue('').matches('^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$')
      ? object.spec.releaseRef.name : ''
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [JSONPatch{op: 'add', path: '/spec/groups', value: variables.groups}]
        + (object.spec.?author.orValue('') != '' ? []
          : [JSONPatch{op: 'add', path: '/spec/author', value: request.userInfo.username}])
        + (has(object.metadata.labels) || variables.label == '' ? []
          : [JSONPatch{op: 'add', path: '/metadata/labels', value: {}}])
        + (variables.label != '' ? [JSONPatch{op: 'add', path: '/metadata/labels/tidegate.io~1release', value: variables.label}]
          : 'tidegate.io/release' in object.metadata.?labels.orValue({})
          ? [JSONPatch{op: 'remove', path: '/metadata/labels/tidegate.io~1release'}] : [])
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}-authors
  labels: {{- include "tidegate.labels" . | nindent 4 }}
spec:
  policyName: {{ $name }}-authors
{{- end -}}
