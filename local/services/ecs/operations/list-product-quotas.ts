// ListProductQuotas of the quota centre: how often each ECS operation may be called, and what the account may hold.
import { structuresOf } from "../../../protocol/rpc/parameters.ts";
import { refusal } from "../errors.ts";
import { type EcsLimits, limitOf } from "../limits.ts";
import { type Operation, type OperationContext, requireParameter } from "../operation.ts";
import { pageOf } from "../paging.ts";

const bounds = { min: 1, max: 100, fallback: 30, outOfBounds: "InvalidParameter" } as const;

const common = (category: "FlowControl" | "CommonQuota", regionId: string) => ({
  ProductCode: "ecs",
  QuotaCategory: category,
  Dimensions: { regionId },
  Adjustable: false,
});

const flowControls = (context: OperationContext, names: readonly string[], regionId: string) =>
  names.flatMap((name) => {
    const limit = limitOf(context.limits, name);
    if (limit === undefined) return [];
    return {
      ...common("FlowControl", regionId),
      QuotaActionCode: name,
      QuotaName: name,
      TotalQuota: limit,
      TotalUsage: context.callsOf(name, regionId),
      QuotaUnit: "count",
      Period: { PeriodUnit: "second", PeriodValue: 60 },
    };
  });

const holdings = ({ view }: OperationContext, limits: EcsLimits, regionId: string) => [
  {
    ...common("CommonQuota", regionId),
    QuotaActionCode: "q_security-groups",
    QuotaName: "Security groups",
    TotalQuota: limits.groups,
    TotalUsage: view.groups().filter((group) => group.regionId === regionId).length,
  },
  {
    ...common("CommonQuota", regionId),
    QuotaActionCode: "q_vpc-normal-security-group-ip-count",
    QuotaName: "Private addresses of a basic security group",
    TotalQuota: limits.membersPerGroup.normal,
  },
];

/** The operation `ListProductQuotas` over operations of these names. An operation without a limit is not listed. */
export const listProductQuotas = (names: readonly string[]): Operation => ({
  run: (context) => {
    const { params, account, limits } = context;
    if (requireParameter(params, "ProductCode") !== "ecs") throw refusal("InvalidParameter", "ProductCode");
    const asked = structuresOf(params, "Dimensions").find(({ fields }) => fields.Key === "regionId");
    const regionId = asked?.fields.Value ?? account.regionId;
    const isFlowControl = params.QuotaCategory === "FlowControl";
    const all = isFlowControl ? flowControls(context, names, regionId) : holdings(context, limits, regionId);
    const code = params.QuotaActionCode;
    const found = all.filter((quota) => code === undefined || quota.QuotaActionCode === code);
    const page = pageOf(found, params, "quotas", bounds);
    return {
      TotalCount: found.length,
      MaxResults: page.maxResults,
      NextToken: page.nextToken,
      Quotas: page.items,
    };
  },
});
