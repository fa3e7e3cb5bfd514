// A data plane in a process of its own, to be killed: `plane-child.ts <range> <table> <address> <port> [<IPv6 address>]`. Says `up`.
import { startDataPlane } from "../../../local/dataplane/data-plane.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { aGroup, anEni, anInstance, aTopology } from "../../unit/local/dataplane/builders.ts";

const [range = "", tableName = "", address = "", port = "", ...ipv6] = process.argv.slice(2);
const eni = anEni(address, ["sg-web"], { ipv6 });

startDataPlane({ engine: "nft", clock: systemClock, destCidrIp: () => "honoured", range, tableName }).then(
  async (plane) => {
    await plane.apply(
      aTopology({
        groups: [aGroup("sg-web", [])],
        enis: [eni],
        instances: [anInstance("web-1", eni, [Number(port)])],
      }),
    );
    await plane.recordFlows(() => undefined);
    process.stdout.write("up\n");
  },
);
