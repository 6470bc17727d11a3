//! Interfaces of DCE/RPC by their UUIDs, and what class of service each belongs to.
//!
//! Sources: MS-DCOM 1.9, MS-OXCRPC 1.9, MS-NSPI 1.9, MS-CMPO 1.9 and the other Microsoft open
//! specifications, C706 appendices O and Q for the endpoint mapper and for management, and
//! IEC 61158-6-10 for PROFINET.

use super::uuid::Uuid;
use super::{INTERFACE, INTERFACE_CLASS};
use crate::identify::Detail;

/// What an interface is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InterfaceClass {
    /// The Component Object Model over the network: its infrastructure, and objects.
    Dcom,
    /// A Windows service that listens on a port of the dynamic range, and the endpoint mapper.
    Msrpc,
    /// The management of a server, which is asked on the ports of all its interfaces (C706
    /// appendix Q).
    Management,
    /// Exchange: mailbox store, address book, referral, message transfer.
    Exchange,
    /// The distributed transaction coordinator.
    Msdtc,
    /// The PROFINET context manager.
    Profinet,
    /// Anything else.
    Other,
}

impl InterfaceClass {
    /// Every class.
    pub const ALL: &'static [InterfaceClass] = &[
        InterfaceClass::Dcom,
        InterfaceClass::Msrpc,
        InterfaceClass::Management,
        InterfaceClass::Exchange,
        InterfaceClass::Msdtc,
        InterfaceClass::Profinet,
        InterfaceClass::Other,
    ];

    /// The stable name in reports, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            InterfaceClass::Dcom => "dcom",
            InterfaceClass::Msrpc => "msrpc",
            InterfaceClass::Management => "management",
            InterfaceClass::Exchange => "exchange",
            InterfaceClass::Msdtc => "msdtc",
            InterfaceClass::Profinet => "profinet",
            InterfaceClass::Other => "other",
        }
    }

    /// The class that a fact tells: by its name, or by the UUID of an interface.
    pub fn told_by(fact: &Detail) -> Option<InterfaceClass> {
        match fact.name {
            INTERFACE_CLASS => Self::ALL.iter().copied().find(|class| class.name() == fact.value),
            INTERFACE => {
                let digits: String = fact.value.chars().filter(|one| *one != '-').collect();
                u128::from_str_radix(&digits, 16).ok().map(|bits| Uuid(bits).interface_class())
            }
            _ => None,
        }
    }
}

/// The endpoint mapper.
pub(super) const ENDPOINT_MAPPER: Uuid = Uuid(0xe1af8308_5d1f_11c9_91a4_08002b14a0fa);
/// Resolver of object exporters (MS-DCOM section 3.1.2.5.1).
pub(super) const OBJECT_EXPORTER: Uuid = Uuid(0x99fcfec4_5260_101b_bbcb_00aa0021347a);
/// Activation before Windows 2000 (MS-DCOM section 3.1.2.5.2.2).
pub(super) const ACTIVATION: Uuid = Uuid(0x4d9f4ab8_7d1c_11cf_861e_0020af6e7c57);
/// Activation since Windows 2000 (MS-DCOM section 3.1.2.5.2.3).
pub(super) const SCM_ACTIVATOR: Uuid = Uuid(0x000001a0_0000_0000_c000_000000000046);
/// Mailbox store of Exchange (MS-OXCRPC).
pub(super) const EMSMDB: Uuid = Uuid(0xa4f1db00_ca47_1067_b31f_00dd010662da);

/// An interface: its UUID, its common name, its class.
type Row = (u128, &'static str, InterfaceClass);

use InterfaceClass::{Dcom, Exchange, Management, Msdtc, Msrpc};

/// Known interfaces in ascending order of their UUIDs.
#[rustfmt::skip]
static INTERFACES: &[Row] = &[
    (0x00000000_0000_0000_c000_000000000046, "IUnknown", Dcom),
    (0x00000131_0000_0000_c000_000000000046, "IRemUnknown", Dcom),
    (0x00000134_0000_0000_c000_000000000046, "IRunDown", Dcom),
    (0x00000143_0000_0000_c000_000000000046, "IRemUnknown2", Dcom),
    (0x000001a0_0000_0000_c000_000000000046, "IRemoteSCMActivator", Dcom),
    (0x00020400_0000_0000_c000_000000000046, "IDispatch", Dcom),
    (0x027947e1_d731_11ce_a357_000000000001, "IEnumWbemClassObject", Dcom),
    (0x0b6edbfa_4a24_4fc6_8a23_942b1eca65d1, "IRPCAsyncNotify", Msrpc),
    (0x0e4a0156_dd5d_11d2_8c2f_00c04fb6bcde, "exchange-store", Exchange),
    (0x10f24e8e_0fa6_11d2_a910_00c04f990f3b, "exchange-store", Exchange),
    (0x12345678_1234_abcd_ef00_0123456789ab, "spoolss", Msrpc),
    (0x12345678_1234_abcd_ef00_01234567cffb, "netlogon", Msrpc),
    (0x12345778_1234_abcd_ef00_0123456789ab, "lsarpc", Msrpc),
    (0x12345778_1234_abcd_ef00_0123456789ac, "samr", Msrpc),
    (0x1453c42c_0fa6_11d2_a910_00c04f990f3b, "exchange-store", Exchange),
    (0x1544f5e0_613c_11d1_93df_00c04fd7bd09, "rfr", Exchange),
    (0x17fdd703_1827_4e34_79d4_24a55c53bb37, "msgsvc", Msrpc),
    (0x1c1c45ee_4395_11d2_b60b_00104b703efd, "IWbemFetchSmartEnum", Dcom),
    (0x1ff70682_0a51_30e8_076d_740be8cee98b, "atsvc", Msrpc),
    (0x300f3532_38cc_11d0_a3f0_0020af6b0add, "trkwks", Msrpc),
    (0x338cd001_2244_31f1_aaaa_900038001003, "winreg", Msrpc),
    (0x342cfd40_3c6c_11ce_a893_08002b2e9c6d, "llsrpc", Msrpc),
    (0x367abb81_9844_35f1_ad32_98f038001003, "svcctl", Msrpc),
    (0x378e52b0_c0a9_11cf_822d_00aa0051e40f, "sasec", Msrpc),
    (0x38a94e72_a9bc_11d2_8faf_00c04fa378ff, "exchange-mta", Exchange),
    (0x3919286a_b10c_11d0_9ba8_00c04fd92ef5, "dssetup", Msrpc),
    (0x3c4728c5_f0ab_448b_bda1_6ce01eb0a6d5, "dhcpcsvc", Msrpc),
    (0x3dde7c30_165d_11d1_ab8f_00805f14db40, "backupkey", Msrpc),
    (0x423ec01e_2e35_11d2_b604_00104b703efd, "IWbemWCOSmartEnum", Dcom),
    (0x44aca675_e8fc_11d0_a07c_00c04fb68820, "IWbemCallResult", Dcom),
    (0x45f52c28_7f9f_101a_b52b_08002b2efabe, "wins", Msrpc),
    (0x4b324fc8_1670_01d3_1278_5a47bf6ee188, "srvsvc", Msrpc),
    (0x4d9f4ab8_7d1c_11cf_861e_0020af6e7c57, "IActivation", Dcom),
    (0x4da1c422_943d_11d1_acae_00c04fc2aa3f, "trksvr", Msrpc),
    (0x4fc742e0_4a10_11cf_8273_00aa004ae673, "netdfs", Msrpc),
    (0x50abc2a4_574d_40b3_9d66_ee4fd5fba076, "dnsserver", Msrpc),
    (0x51c82175_844e_4750_b0d8_ec255555bc06, "kms", Msrpc),
    (0x5261574a_4572_206e_b268_6b199213b4e4, "async-mapi", Exchange),
    (0x57674cd0_5200_11ce_a897_08002b2e9c6d, "lls-license", Msrpc),
    (0x5a7b91f8_ff00_11d0_a9b2_00c04fb6e6fc, "msgsvcsend", Msrpc),
    (0x5b821720_f63b_11d0_aad2_00c04fc324db, "dhcpsrv2", Msrpc),
    (0x5ca4a760_ebb1_11cf_8611_00a0245420ed, "winstation", Msrpc),
    (0x6bffd098_a112_3610_9833_012892020162, "browser", Msrpc),
    (0x6bffd098_a112_3610_9833_46c3f874532d, "dhcpsrv", Msrpc),
    (0x6bffd098_a112_3610_9833_46c3f87e345a, "wkssvc", Msrpc),
    (0x76f03f96_cdfd_44fc_a22c_64950a001209, "IRemoteWinspool", Msrpc),
    (0x7c44d7d4_31d5_424c_bd5e_2b3e1f323d22, "dsaop", Msrpc),
    (0x7c857801_7381_11cf_884d_00aa004b2e24, "IWbemObjectSink", Dcom),
    (0x82273fdc_e32a_18c3_3f78_827929dc23ea, "eventlog", Msrpc),
    (0x83d72bf0_0d89_11ce_b13f_00aa003bac6c, "exchange-sa", Exchange),
    (0x86d35949_83c9_4044_b424_db363231fd0c, "ITaskSchedulerService", Msrpc),
    (0x894de0c0_0d55_11d3_a322_00c04fa321a1, "initshutdown", Msrpc),
    (0x897e2e5f_93f3_4376_9c9c_fd2277495c27, "frstrans", Msrpc),
    (0x8d0ffe72_d252_11d0_bf8f_00c04fd9126b, "keysvc", Msrpc),
    (0x8d9f4e40_a03d_11ce_8f69_08003e30051b, "pnp", Msrpc),
    (0x8fb6d884_2388_11d0_8c35_00c04fda2795, "w32time", Msrpc),
    (0x906b0ce0_c70b_1067_b317_00dd010662da, "IXnRemote", Msdtc),
    (0x91ae6020_9e3c_11cf_8d7c_00aa00c091be, "ICertPassage", Msrpc),
    (0x9556dc99_828c_11cf_a37e_00aa003240c7, "IWbemServices", Dcom),
    (0x99fcfec4_5260_101b_bbcb_00aa0021347a, "IObjectExporter", Dcom),
    (0x9e8ee830_4459_11ce_979b_00aa005ffebe, "exchange-mta", Exchange),
    (0xa4f1db00_ca47_1067_b31f_00dd010662da, "mapi", Exchange),
    (0xae33069b_a2a8_46ee_a235_ddfd339be281, "IRPCRemoteObject", Msrpc),
    (0xafa8bd80_7d8a_11c9_bef4_08002b102989, "mgmt", Management),
    (0xc681d488_d850_11d0_8c52_00c04fd90f7e, "efsrpc", Msrpc),
    (0xd049b186_814f_11d1_9a3c_00c04fc9b232, "frsapi", Msrpc),
    (0xd4781cd6_e5d3_44df_ad94_930efe48a887, "IWbemLoginClientID", Dcom),
    (0xd95afe70_a6d5_4259_822e_2c84da1ddb0d, "winshutdown", Msrpc),
    (0xd99e6e70_fc88_11d0_b498_00a0c90312f3, "ICertRequestD", Dcom),
    (0xdf1941c5_fe89_4e79_bf10_463657acf44d, "efsrpc", Msrpc),
    (0xe1af8308_5d1f_11c9_91a4_08002b14a0fa, "epm", Msrpc),
    (0xe3514235_4b06_11d1_ab04_00c04fc2dcd2, "drsuapi", Msrpc),
    (0xf309ad18_d86a_11d0_a075_00c04fb68820, "IWbemLevel1Login", Dcom),
    (0xf5cc59b4_4264_101a_8c59_08002b2f8426, "frsrpc", Msrpc),
    (0xf5cc5a18_4264_101a_8c59_08002b2f8426, "nspi", Exchange),
    (0xf6beaff7_1e19_4fbb_9f8f_b89e2018337c, "eventlog6", Msrpc),
    (0xf930c514_1215_11d3_99a5_00a0c9b61b04, "exchange-sa", Exchange),
];

/// What the last two thirds of a UUID say where the first 32 bits only number its family.
const OBJECT_FAMILY: u128 = 0x0000_0000_c000_0000_0000_0046;
const PROFINET_FAMILY: u128 = 0x6c97_11d1_8271_0000_0000_0000;

impl Uuid {
    /// The common name of this interface, where it is known.
    pub fn interface_name(self) -> Option<&'static str> {
        self.row().map(|(_, name, _)| *name).or_else(|| self.is_profinet().then_some("pn-io"))
    }

    /// The class of this interface (D2.9): by the table, or by a family of UUIDs.
    pub fn interface_class(self) -> InterfaceClass {
        match self.row() {
            Some((_, _, class)) => *class,
            None if self.is_profinet() => InterfaceClass::Profinet,
            None if self.0 & (u128::MAX >> 32) == OBJECT_FAMILY => Dcom,
            None => InterfaceClass::Other,
        }
    }

    fn row(self) -> Option<&'static Row> {
        let at = INTERFACES.binary_search_by_key(&self.0, |row| row.0).ok()?;
        INTERFACES.get(at)
    }

    /// `dea0xxxx-6c97-11d1-8271-...` (IEC 61158-6-10): the last six bytes vary.
    fn is_profinet(self) -> bool {
        let family = (self.0 & (u128::MAX >> 32)) >> 48 << 48;
        self.0 >> 112 == 0xdea0 && family == PROFINET_FAMILY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(INTERFACES.is_sorted_by(|a, b| a.0 < b.0));
    }

    /// The classes of the table in the domain reference, section 2.9.
    #[test]
    fn families_have_a_class_without_a_row() {
        let class = |bits| Uuid(bits).interface_class();
        assert_eq!(class(0x12abcdef_0000_0000_c000_000000000046), InterfaceClass::Dcom);
        assert_eq!(class(0xdea00001_6c97_11d1_8271_00a02442df7d), InterfaceClass::Profinet);
        assert_eq!(class(0xdea00001_6c97_11d1_8272_00a02442df7d), InterfaceClass::Other);
        assert_eq!(Uuid(0xdea00001_6c97_11d1_8271_00a02442df7d).interface_name(), Some("pn-io"));
        assert_eq!(Uuid(EMSMDB.0).interface_name(), Some("mapi"));
        assert_eq!(class(SCM_ACTIVATOR.0), InterfaceClass::Dcom);
    }
}
