// StartInstance, StopInstance and DeleteInstance: an instance runs, serves nothing, or is gone.
import { refusal } from "../errors.ts";
import type { EcsInstance } from "../model.ts";
import { type Operation, type OperationContext, requireParameter } from "../operation.ts";

const requireInstance = ({ params, draft }: OperationContext): EcsInstance => {
  const instanceId = requireParameter(params, "InstanceId");
  const instance = draft.instances().find((each) => each.instanceId === instanceId);
  if (instance === undefined) throw refusal("InvalidInstanceId.NotFound");
  return instance;
};

const moveTo = (context: OperationContext, from: EcsInstance["status"], to: EcsInstance["status"]): void => {
  const instance = requireInstance(context);
  if (instance.status !== from) throw refusal("IncorrectInstanceStatus");
  if (context.params["DryRun"] === "true") throw refusal("DryRunOperation");
  context.draft.putInstance({ ...instance, status: to });
};

/** The operation `StartInstance`. */
export const startInstance: Operation = {
  run: (context) => {
    moveTo(context, "Stopped", "Running");
    return {};
  },
};

/** The operation `StopInstance`. */
export const stopInstance: Operation = {
  run: (context) => {
    moveTo(context, "Running", "Stopped");
    return {};
  },
};

/** The operation `DeleteInstance`: the instance goes with its primary interface, further ones stay without it. */
export const deleteInstance: Operation = {
  takesClientToken: true,
  run: (context) => {
    const { params, draft } = context;
    const { instanceId, status } = requireInstance(context);
    if (status === "Running" && params["Force"] !== "true") throw refusal("IncorrectInstanceStatus");
    for (const eni of draft.enis().filter((each) => each.instanceId === instanceId))
      if (eni.primary) draft.deleteEni(eni.eniId);
      else draft.putEni({ ...eni, instanceId: "" });
    draft.deleteInstance(instanceId);
    return {};
  },
};
