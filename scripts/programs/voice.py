"""Calls: signalling and media."""

import time

from .lab import CLIENT, SERVER
from .table import program

TABLE = []
MEDIA = range(16384, 16484)


def telephone(scene, name, address, modules, account="", more=""):
    """The folder of a telephone that answers by itself and sends a tone."""
    lines = "".join(f"module {module}.so\n" for module in modules)
    certificate, key = scene.certificate()
    pair = scene.file("pair.pem", open(certificate).read() + open(key).read())
    scene.file(
        f"{name}/config",
        f"""
sip_listen {address}:5060
sip_certificate {pair}
sip_transports udp,tcp,tls
audio_player aubridge,nil
audio_source ausine,440
ausrc_srate 48000
ausrc_channels 2
auplay_srate 48000
audio_alert aubridge,nil
rtp_ports {MEDIA.start}-{MEDIA.stop - 1}
rtp_timeout 0
call_max_calls 8
module_path /usr/lib/baresip/modules
{lines}module_app account.so
module_app menu.so
{more}
""",
    )
    scene.file(f"{name}/accounts", f"<sip:{name}@{address}>;regint=0;answermode=auto{account}\n")
    scene.file(f"{name}/contacts")
    return scene.folder / name


def media(scene, name="rtp", control="rtcp"):
    """Expects media at the even ports and their control at the odd ones."""
    for port in MEDIA:
        scene.expect("udp", port, control if port % 2 else name, either=True)


def call(scene, modules, account="", transport="udp", more="", speech=4):
    """A call from the client to the server and back out again."""
    base = ["ausine", "aubridge", *modules]
    there = telephone(scene, "server", SERVER, base, account, more)
    here = telephone(scene, "client", CLIENT, base, account, more)
    scene.serve("baresip", "-f", there, port=5060)
    port = {"tls": 5061}.get(transport, 5060)
    scene.client(
        "baresip",
        "-f",
        here,
        "-t",
        str(speech),
        "-e",
        f"d sip:server@{SERVER}:{port};transport={transport}",
        fails=True,
        patience=speech + 10,
    )


def signalling(scene, *transports):
    """Expects SIP at its usual ports."""
    for transport in transports:
        port = 5061 if transport == "tls" else 5060
        name = "tls" if transport == "tls" else "sip"
        scene.expect("udp" if transport == "udp" else "tcp", port, name, either=True)


def row(name, speaks, *arguments, **more):
    """A row of the table that is a call between two telephones."""
    muxed = more.pop("muxed", None)

    @program(TABLE, name, "baresip", speaks, ("baresip", "-v"))
    def drive(scene):
        call(scene, *arguments, **more)
        signalling(scene, arguments[2] if len(arguments) > 2 else "udp")
        media(scene, *([muxed, muxed] if muxed else []))

    return drive


row("baresip-g711", "SIP over UDP, G.711, RTCP", ["g711"])
row("baresip-tcp", "SIP over TCP, G.722", ["g722", "g711"], ";audio_codecs=g722", "tcp")
row("baresip-tls", "SIP over TLS, so that nothing announces the media; G.711", ["g711"], "", "tls")
row("baresip-opus", "SIP over UDP, Opus", ["opus"])
row("baresip-gsm", "SIP over UDP, GSM", ["gsm"])
row("baresip-g726", "SIP over UDP, G.726", ["g726"])
row("baresip-l16", "SIP over UDP, L16", ["l16"])
row("baresip-srtp", "SIP over UDP, SRTP with keys in SDP", ["g711", "srtp"], ";mediaenc=srtp-mand")
row(
    "baresip-dtls",
    "SIP over UDP, SRTP with keys of DTLS",
    ["g711", "srtp", "dtls_srtp"],
    ";mediaenc=dtls_srtp",
    muxed="rtp|rtcp|dtls",
)
row(
    "baresip-ice",
    "SIP over UDP, ICE, RTP and RTCP on one port",
    ["g711", "ice", "stun"],
    ";medianat=ice;rtcp_mux=yes",
    more="rtcp_mux yes",
    muxed="rtp|rtcp|stun",
)


@program(TABLE, "sipp", "sipp", "SIP over UDP and TCP: calls", ("sipp", "-v"))
def sipp(scene):
    for transport in ("u1", "t1"):
        server = scene.serve(
            "sipp",
            "-sn",
            "uas",
            "-i",
            SERVER,
            "-p",
            "5060",
            "-t",
            transport,
            "-nostdin",
            "-rtp_echo",
            "-mi",
            SERVER,
            "-mp",
            str(MEDIA.start),
            port=5060,
        )
        scene.client(
            "sipp",
            "-sn",
            "uac",
            f"{SERVER}:5060",
            "-i",
            CLIENT,
            "-t",
            transport,
            "-m",
            "10",
            "-r",
            "5",
            "-d",
            "300",
            "-nostdin",
            "-mi",
            CLIENT,
            "-mp",
            str(MEDIA.start),
            fails=True,
        )
        scene.end(server)
    signalling(scene, "udp", "tcp")
    media(scene)


@program(
    TABLE,
    "kamailio",
    "kamailio sipp",
    "SIP through a proxy, registration, refused calls",
    ("kamailio", "-v"),
)
def kamailio(scene):
    scene.serve(
        "kamailio",
        "-DD",
        "-E",
        "-Y",
        scene.folder,
        "-w",
        scene.folder,
        "-f",
        scene.file(
            "kamailio.cfg",
            f"""
#!KAMAILIO
debug=1
children=2
listen=udp:{SERVER}:5060
listen=tcp:{SERVER}:5060
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
request_route {{
 if (method=="REGISTER") {{ save("location"); exit; }}
 if (method=="OPTIONS") {{ sl_send_reply("200", "OK"); exit; }}
 sl_send_reply("404", "Not Found");
}}
""",
        ),
        port=5060,
    )
    here = telephone(scene, "client", CLIENT, ["ausine", "aubridge", "g711"])
    scene.file(
        "client/accounts",
        f"<sip:alice@{SERVER}>;auth_pass=x;regint=60\n"
        f"<sip:bob@{SERVER};transport=tcp>;auth_pass=x;regint=60\n",
    )
    scene.client("baresip", "-f", here, "-t", "4", "-e", f"d sip:nobody@{SERVER}", fails=True)
    for transport in ("u1", "t1"):
        scene.client(
            "sipp",
            "-sn",
            "uac",
            f"{SERVER}:5060",
            "-i",
            CLIENT,
            "-t",
            transport,
            "-m",
            "5",
            "-nostdin",
            fails=True,
        )
    signalling(scene, "udp", "tcp")


@program(
    TABLE,
    "gstreamer",
    "gst-launch-1.0",
    "RTP and RTCP without signalling: G.711, Opus, L16, JPEG, " "VP8",
    ("dpkg-query", "-W", "-f", "${Version}", "gstreamer1.0-tools"),
)
def gstreamer(scene):
    sources = {
        16384: "audiotestsrc ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay",
        16386: "audiotestsrc ! audioconvert ! audioresample ! opusenc ! rtpopuspay",
        16388: "audiotestsrc ! audio/x-raw,format=S16BE,rate=44100,channels=2 ! rtpL16pay",
        16390: "videotestsrc ! video/x-raw,width=320,height=240 ! jpegenc ! rtpjpegpay",
        16392: "videotestsrc ! video/x-raw,width=320,height=240 ! vp8enc deadline=1 ! rtpvp8pay",
    }
    for port, source in sources.items():
        scene.behind(
            "gst-launch-1.0",
            "-q",
            *f"rtpbin name=b {source} ! b.send_rtp_sink_0 b.send_rtp_src_0 ! "
            f"udpsink host={SERVER} port={port} bind-port={port} sync=true b.send_rtcp_src_0 ! "
            f"udpsink host={SERVER} port={port + 1} bind-port={port + 1} sync=false "
            "async=false".split(),
        )
    time.sleep(6)
    media(scene)
