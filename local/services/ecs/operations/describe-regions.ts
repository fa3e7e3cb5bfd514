// DescribeRegions: the regions of the account.
import { type Operation, regionsOf } from "../operation.ts";

/** The operation `DescribeRegions`. */
export const describeRegions: Operation = {
  run: ({ account }) => ({
    Regions: {
      Region: regionsOf(account).map((RegionId) => ({
        RegionId,
        LocalName: RegionId,
        RegionEndpoint: `ecs.${RegionId}.aliyuncs.com`,
        Status: "available",
      })),
    },
  }),
};
