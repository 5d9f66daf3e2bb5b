*** Comments ***
For people who use renode-test: boots hil's firmware on hil's platform files and shakes hands.

    hil build                  names the ELF
    renode-test --variable ELF:/path/to/hil.elf hil_tests/renode/boot.robot

*** Settings ***
Suite Setup         Setup
Suite Teardown      Teardown
Test Setup          Reset Emulation
Test Teardown       Test Teardown
Test Timeout        60 seconds
Resource            ${RENODEKEYWORDS}

*** Variables ***
${ELF}              %{HIL_ELF=hil.elf}
${PLATFORM}         ${CURDIR}/../../host/hil/boards/renode
${UART}             sysbus.usart1
# A HELLO with sequence number 1, its acknowledgement, and how the CAPABILITY behind it begins. The
# default test set compares them with host/hil/wire.
@{HELLO}            0x00  0x04  0x04  0x10  0x01  0x02  0x04  0x05  0x56  0xd6  0x63  0x96  0x00
${ACKNOWLEDGED}     00 04 04 01 01 05 3d 13 ff b6 00
${CAPABILITY}       00 04 04 20 01

*** Keywords ***
Create Board
    Execute Command             mach create "f746"
    Execute Command             machine LoadPlatformDescription @${PLATFORM}/stm32f746.repl
    Execute Command             machine LoadPlatformDescription @${PLATFORM}/disco_f746g.repl
    Execute Command             sysbus LoadELF @${ELF}
    Execute Command             cpu VectorTableOffset 0x08000000

Send
    [Arguments]                 @{bytes}
    FOR  ${byte}  IN  @{bytes}
        Execute Command         ${UART} WriteChar ${byte}
    END

*** Test Cases ***
Firmware Answers A Greeting
    Create Board
    Create Terminal Tester      ${UART}  timeout=2  binaryMode=true  defaultPauseEmulation=true
    Execute Command             emulation RunFor "0.05"
    Send                        @{HELLO}
    Wait For Bytes On Uart      ${ACKNOWLEDGED}
    Wait For Bytes On Uart      ${CAPABILITY}

Heartbeat Flashes Once Every Two Seconds
    Create Board
    Create LED Tester           sysbus.gpioPortI.ld1  defaultTimeout=3
    Execute Command             emulation RunFor "0.5"
    Assert LED State            false
    Assert LED State            true  timeout=2  pauseEmulation=true
    Assert LED State            false  timeout=0.2  pauseEmulation=true
